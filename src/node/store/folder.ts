/** @file A store of results in a folder, which several processes and machines may share (also over
 *  NFS). Files are named by their digest, and manifests by the key of their task. A file appears
 *  whole or not at all: it is written under a temporary name, flushed, and linked. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/digest.js";
import { DynnError, reasonOf } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { manifestOf } from "../../studies/tasks/memory-store.js";
import type { Manifest } from "../../studies/tasks/store.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { codeOf, sweepOnce, temporaryIn, unwritable } from "../output-files.js";
import { ABOUT_FILE, aboutStore, checkAbout, damaged, manifestBytes, parseManifest } from "./manifest.js";
import type { SharedStore } from "./shared.js";

/** Opens a store in a folder. The folder is made when it does not exist.
 * @throws DynnError 'file/unwritable', 'file/full', 'study/version', 'store/damaged'
 * @example const store = await folderTaskStore("study.store"); */
export async function folderTaskStore(folder: string): Promise<SharedStore> {
  await makeFolders(folder);
  const about = join(folder, ABOUT_FILE);
  await putOnce(about, aboutStore(VERSION, randomUUID()), folder);
  const id = checkAbout(await readFile(about), VERSION, about);
  const manifestPath = (key: TaskKey): string => join(folder, "tasks", `${key}.json`);
  return {
    id,
    folder,
    manifest: (key) => readManifest(manifestPath(key)),
    done: async (keys) => {
      if (keys.length === 1) return new Set(keys.filter((key) => existsSync(manifestPath(key))));
      const names = new Set(await readdir(join(folder, "tasks")));
      return new Set(keys.filter((key) => names.has(`${key}.json`)));
    },
    file: (manifest, name) => readObject(folder, manifest, name),
    publish: async (key, task, result) => {
      const path = manifestPath(key);
      const known = await readManifest(path);
      if (known) return known;
      const manifest = manifestOf(key, task, result);
      for (const [name, bytes] of Object.entries(result.files)) {
        const { sha256: digest } = manifest.files[name];
        await mkdir(objectFolder(folder, digest), { recursive: true });
        await putOnce(objectPath(folder, digest), bytes, folder);
      }
      await putOnce(path, manifestBytes(manifest), folder);
      return (await readManifest(path)) ?? manifest;
    },
  };
}

const objectFolder = (folder: string, digest: string): string => join(folder, "objects", digest.slice(0, 2));

/** The path of a file of a result. */
export const objectPath = (folder: string, digest: string): string => join(objectFolder(folder, digest), digest);

async function makeFolders(folder: string): Promise<void> {
  try {
    for (const name of ["objects", "tasks"]) await mkdir(join(folder, name), { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause, "Choose a store that you may write to.");
  }
  sweepOnce(folder);
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new DynnError(
      "store/unreachable",
      `${path}: cannot be read (${reasonOf(error)}). Check that the store can be reached and read.`,
      { path },
      { cause: error },
    );
  });
  return bytes && parseManifest(bytes, path);
}

async function readObject(folder: string, { files }: Manifest, name: string): Promise<Uint8Array> {
  const expected = files[name];
  if (!expected) throw new Error(`bug: the result has no file ${name}`);
  const path = objectPath(folder, expected.sha256);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw damaged(path, `cannot be read (${reasonOf(cause)})`, cause);
  });
  if (sha256(bytes) !== expected.sha256) throw damaged(path, `has ${bytes.length} bytes of other content`);
  return bytes;
}

/** Writes a file unless it is there. Of several processes, one wins.
 * @throws DynnError 'file/full', 'file/unwritable' */
async function putOnce(path: string, bytes: Uint8Array, folder: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  const temporary = temporaryIn(folder);
  try {
    await writeFlushed(temporary, bytes);
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
