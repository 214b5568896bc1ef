/** @file A store of results in a folder, which several processes and machines may share (also over
 *  NFS). A file appears whole or not at all: it is written under a temporary name, flushed, and
 *  linked. */
import { link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DynnError, reasonOf } from "../../core/errors.js";
import { codeOf, makeFolder, sweepOnce, temporaryIn, unwritable } from "../output-files.js";
import { type Blobs, blobStore, objectName } from "./blobs.js";
import type { SharedStore } from "./shared.js";

/** Opens a store in a folder. The folder is made when it does not exist.
 * @throws DynnError 'file/unwritable', 'file/full', 'study/version', 'store/damaged'
 * @example const store = await folderTaskStore("study.store"); */
export async function folderTaskStore(folder: string): Promise<SharedStore> {
  await makeFolders(folder);
  return { ...(await blobStore(folderBlobs(folder))), folder };
}

/** The path of a file of a result, by its digest. */
export const objectPath = (folder: string, digest: string): string => join(folder, objectName(digest));

const folderBlobs = (folder: string): Blobs => ({
  get: (name) => read(join(folder, name)),
  putOnce: async (name, bytes) => {
    const path = join(folder, name);
    if (await stat(path).catch(() => undefined)) return;
    await putOnce(path, bytes, folder);
  },
  has: async (name) => (await stat(join(folder, name)).catch(() => undefined)) !== undefined,
  list: (name) => readdir(join(folder, name)).catch((cause: unknown) => unreachable(join(folder, name), cause)),
  place: (name) => join(folder, name),
});

async function makeFolders(folder: string): Promise<void> {
  try {
    for (const name of ["objects", "tasks"]) await makeFolder(join(folder, name));
  } catch (cause) {
    throw unwritable(folder, cause, "Choose a store that you may write to.");
  }
  sweepOnce(folder);
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    return codeOf(cause) === "ENOENT" ? undefined : unreachable(path, cause);
  }
}

function unreachable(path: string, cause: unknown): never {
  throw new DynnError(
    "store/unreachable",
    `${path}: cannot be read (${reasonOf(cause)}). Check that the store can be reached and read.`,
    { path },
    { cause },
  );
}

/** @throws DynnError 'file/full', 'file/unwritable' */
async function putOnce(path: string, bytes: Uint8Array, folder: string): Promise<void> {
  const temporary = temporaryIn(folder);
  try {
    await writeFlushed(temporary, bytes);
    await mkdir(dirname(path), { recursive: true });
    await linkOnce(temporary, path);
  } catch (cause) {
    if (["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(cause)))
      throw new DynnError(
        "file/full",
        `${path}: the disk is too full for ${bytes.length} bytes (${reasonOf(cause)}). Free some space and run the study again: finished tasks stay.`,
        { path, bytes: bytes.length },
        { cause },
      );
    throw unwritable(path, cause, "Choose a store that you may write to.");
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Over NFS a link can succeed although its reply is lost. Two names of the file then tell. */
async function linkOnce(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if ((await stat(temporary)).nlink === 2 || codeOf(error) === "EEXIST") return;
    throw error;
  }
}
