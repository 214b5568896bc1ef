/** @file Text and JSON files. An output is tried before the work starts, so that hours are not lost to a typo. */
import { DynnError, reasonOf } from "../core/errors.js";
import { readBytes } from "./onnx-files.js";
import { replaceFile } from "./output-files.js";

export { checkFolderName, checkWritable } from "./output-files.js";

export const writeText = (path: string, text: string): Promise<void> =>
  replaceFile(path, new TextEncoder().encode(text));

/** Parse a JSON file.
 * @throws DynnError 'file/missing', 'file/unreadable', 'attack/config' */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DynnError(
      "attack/config",
      `${path}: is not JSON (${reasonOf(cause)}). Check commas and quotes.`,
      { path },
      { cause },
    );
  }
}
