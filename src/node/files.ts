/** @file Reads and writes text and JSON files. An output path is tried before the work starts, so
 *  that a typing error does not cost hours. */
import { open, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DynnError, type ErrorCode, reasonOf } from "../core/errors.js";
import { readBytes, replaceFile } from "./onnx-files.js";

/** Refuse a path that cannot be written. Only files are replaced: neither folders nor devices such
 * as /dev/null.
 * @throws DynnError 'file/unwritable' */
export async function checkWritable(path: string): Promise<void> {
  const probe = resolve(dirname(path), `.dynn-${process.pid}-${Date.now()}.tmp`);
  try {
    const stats = await stat(path).catch(() => undefined);
    if (stats && !stats.isFile()) throw new Error(stats.isDirectory() ? "it is a folder" : "it is not a regular file");
    await (await open(probe, "wx")).close();
    await rm(probe, { force: true });
  } catch (cause) {
    throw new DynnError(
      "file/unwritable",
      `${path}: cannot be written (${reasonOf(cause)}). Choose a file in a folder that exists and that you may write to.`,
      { path },
      { cause },
    );
  }
}

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
