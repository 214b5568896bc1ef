/** @file Reading plain files only: to open a FIFO waits for ever, and a device such as /dev/zero
 *  has no end. */
import type { Dirent, Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** What a directory entry or a stat result says of its kind. */
type Kinds = Pick<
  Stats | Dirent,
  "isFile" | "isDirectory" | "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice"
>;

/** What something is in place of a plain file, in words; undefined for a plain file. */
export function otherKind(entry: Kinds): string | undefined {
  if (entry.isFile()) return undefined;
  if (entry.isDirectory()) return "a folder";
  if (entry.isFIFO()) return "a FIFO";
  if (entry.isSocket()) return "a socket";
  return entry.isCharacterDevice() || entry.isBlockDevice() ? "a device" : "of an unknown kind";
}

/** Refuse a path that is there and is something else than a plain file. Links are followed.
 * @throws Error that says what it is; the file system's error when it cannot be looked at */
export async function checkPlainFile(path: string): Promise<void> {
  const kind = otherKind(await stat(path));
  if (kind !== undefined) throw new Error(`it is ${kind}, expected a plain file`);
}

/** The bytes of a plain file.
 * @throws Error as {@link checkPlainFile}, and the file system's error when it cannot be read */
export async function readPlainFile(path: string): Promise<Uint8Array> {
  await checkPlainFile(path);
  return readFile(path);
}
