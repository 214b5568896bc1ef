/** @file Reads files and folders, and turns the file system's errors into DynnError. */
import { isUtf8 } from "node:buffer";
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DynnError, reasonOf } from "../../core/errors.js";
import { checkPlainFile, otherKind, readPlainFile } from "../plain-file.js";

/** The bytes of a plain file.
 * @throws DynnError 'data/missing', 'file/unreadable' (also for a FIFO, a socket, a device or a
 *  folder) */
export const readBytes = (file: string): Promise<Uint8Array> =>
  readPlainFile(file).catch((thrown) => refuse(file, thrown));

/** Refuse a file that is missing or of another kind than a plain file.
 * @throws DynnError 'data/missing', 'file/unreadable' */
export const checkDataFile = (file: string): Promise<void> =>
  checkPlainFile(file).catch((thrown) => refuse(file, thrown));

/** The names in a folder without hidden ones, in code-unit order, which is the same on every
 * machine.
 * @throws DynnError 'data/missing', 'file/unreadable' (also for a name that is not UTF-8, and for a
 *  FIFO, a socket or a device) */
export async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" }).catch((thrown) =>
    refuse(folder, thrown),
  );
  const seen = entries.filter(({ name }) => name[0] !== DOT);
  return (await Promise.all(seen.map((entry) => nameOf(folder, entry)))).sort();
}

const DOT = ".".charCodeAt(0);

/** The name of an entry. Node.js puts U+FFFD for bytes that are not UTF-8, and opens another file
 * by that name.
 * @throws DynnError 'file/unreadable' */
async function nameOf(folder: string, entry: Dirent<Buffer>): Promise<string> {
  if (!isUtf8(entry.name)) {
    const shown = entry.name.toString("latin1").replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
    return refuse(join(folder, shown), new Error("its name is not UTF-8; rename it"));
  }
  const name = entry.name.toString();
  if (!entry.isFile() && !entry.isDirectory()) await checkOdd(join(folder, name));
  return name;
}

/** Follow a link. One that leads nowhere is left to whoever reads it.
 * @throws DynnError 'file/unreadable' for a FIFO, a socket or a device */
async function checkOdd(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  const kind = stats && otherKind(stats);
  if (kind !== undefined && !stats?.isDirectory()) refuse(path, new Error(`it is ${kind}, expected a plain file`));
}

/** The names of the folders in a folder, with links to folders. */
export async function listFolders(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const isFolder = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (entry) => entry.isDirectory(),
        () => false,
      ),
    ),
  );
  return names.filter((_, i) => isFolder[i]);
}

function refuse(path: string, thrown: unknown): never {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR")
    throw new DynnError("data/missing", `${path}: does not exist. Check the path.`, { path });
  throw new DynnError(
    "file/unreadable",
    `${path}: cannot be read (${reasonOf(thrown)}). Check its kind and permissions.`,
    { path },
    { cause: thrown },
  );
}
