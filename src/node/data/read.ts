/** @file Reads files and folders, and turns the file system's errors into DynnError. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DynnError, reasonOf } from "../../core/errors.js";

/** @throws DynnError 'data/missing', 'file/unreadable' */
export const readBytes = (file: string): Promise<Uint8Array> => readFile(file).catch((thrown) => refuse(file, thrown));

/** The names in a folder without hidden ones, in code-unit order, which is the same on every
 * machine.
 * @throws DynnError 'data/missing', 'file/unreadable' */
export async function listFolder(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((thrown) => refuse(folder, thrown));
  return names.filter((name) => !name.startsWith(".")).sort();
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
