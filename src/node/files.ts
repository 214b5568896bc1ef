/** @file Reads and writes text and JSON files. An output path is tried before the work starts, so
 *  that a typing error does not cost hours. */
import { DynnError, type ErrorCode, reasonOf } from "../core/errors.js";
import { readBytes } from "./onnx-files.js";
import { replaceFile } from "./output-files.js";

export { checkFolderName, checkWritable, makeFolder } from "./output-files.js";

export const writeText = (path: string, text: string): Promise<void> =>
  replaceFile(path, new TextEncoder().encode(text));

/** Parse a JSON file.
 * @param code of the error when the text is no JSON
 * @throws DynnError 'file/missing', 'file/unreadable', 'attack/config' */
export async function readJson(path: string, code: ErrorCode = "attack/config"): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DynnError(
      code,
      `${path}: is not JSON (${reasonOf(cause)}). Check commas and quotes.`,
      { path },
      { cause },
    );
  }
}
