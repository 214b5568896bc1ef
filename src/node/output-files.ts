/** @file Where outputs go and how they get there: links are followed, a new file replaces an old
 *  one when it is whole, and temporary files of killed runs are swept. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import {
  chmod,
  type FileHandle,
  mkdir,
  open,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DynnError, reasonOf } from "../core/errors.js";
import { hostKey, isAlive } from "./processes.js";

/** Links in a row that are followed. Source: MAXSYMLINKS of Linux. */
const MOST_LINKS = 40;

/** The place that an output is written to. The one rule for links: what a link names is replaced,
 * and the link stays. A link that leads nowhere names the file that is to be made.
 * @throws Error when links lead in a circle */
export async function outputPlace(path: string): Promise<string> {
  let place = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) return place;
    place = resolve(await realpath(dirname(place)), target);
  }
  throw new Error("its links lead in a circle");
}

let made = 0;

/** The path of a temporary file or folder. Its name says which process made it, so that another can
 * tell when it is of no use. */
export const temporaryIn = (folder: string): string => join(folder, `.dynn-${hostKey()}-${process.pid}-${made++}.tmp`);

const TEMPORARY = /^\.dynn-([0-9a-f]{8})-(\d+)-\d+\.tmp$/;

/** Names the folder or file that a temporary folder is to become. */
export const TARGET = "target";

/** Remove the temporary files of processes of this machine that have ended. Half of an exchange of
 * two folders is finished. What cannot be removed stays: an output must not fail for it. */
export function sweep(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const [, host, pid] = TEMPORARY.exec(name) ?? [];
      if (host !== hostKey() || isAlive(Number(pid))) continue;
      recover(folder, join(folder, name));
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  } catch {
    // A folder that is not there or may not be read holds nothing to sweep.
  }
}

/** Finish an exchange that was killed between its two renames: the old folder has left its place
 * and the new one, which was checked before, has not reached it. */
function recover(folder: string, temporary: string): void {
  if (!existsSync(join(temporary, "old"))) return;
  const target = join(folder, basename(readFileSync(join(temporary, TARGET), "utf8")));
  if (existsSync(target)) return;
  renameSync(join(temporary, existsSync(join(temporary, "new")) ? "new" : "old"), target);
}

const swept = new Set<string>();

/** {@link sweep}, once for each folder in the life of a process. */
export function sweepOnce(folder: string): void {
  const place = resolve(folder);
  if (swept.has(place)) return;
  swept.add(place);
  sweep(place);
}

/** Write `bytes` to `path`, whole or not at all. A link is followed. After Ctrl-C or a failure the
 * temporary file is removed.
 * @throws DynnError 'file/unwritable', 'file/full' */
export const replaceFile = (path: string, bytes: Uint8Array): Promise<void> =>
  replaced(path, bytes.length, (temporary) => writeFile(temporary, bytes, { flag: "wx" }));

/** {@link replaceFile} for a file that is written in steps, because it is too large for memory.
 * @throws DynnError 'file/unwritable', 'file/full', and what `write` throws */
export async function replaceInSteps(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  let thrown: unknown;
  const steps = async (temporary: string): Promise<void> => {
    const file = await open(temporary, "wx");
    try {
      await write(file);
    } catch (error) {
      // The disk's errors have codes of the system.
      if (codeOf(error) === "" || error instanceof DynnError) thrown = error;
      throw error;
    } finally {
      await file.close();
    }
  };
  await replaced(path, undefined, steps).catch((error: unknown) => {
    throw thrown ?? error;
  });
}

async function replaced(
  path: string,
  bytes: number | undefined,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  try {
    const place = await outputPlace(path);
    const mode = (await stat(place).catch(() => undefined))?.mode;
    sweepOnce(dirname(place));
    await throughTemporary(dirname(place), async (temporary) => {
      await write(temporary);
      if (mode !== undefined) await chmod(temporary, mode & 0o7777).catch(() => undefined);
      await flush(temporary);
      await rename(temporary, place);
    });
  } catch (cause) {
    if (["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(cause)))
      throw new DynnError(
        "file/full",
        `${path}: the disk is too full${bytes === undefined ? "" : ` for ${bytes} bytes`} (${reasonOf(cause)}). Free some space or choose another place.`,
        { path, bytes },
        { cause },
      );
    throw unwritable(path, cause, "Choose a place that you may write to.");
  }
}

/** The bytes must reach the disk before the rename does. Otherwise a crash of the machine would
 * leave an empty file. */
async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function throughTemporary(folder: string, work: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryIn(folder);
  const clear = () => rmSync(temporary, { force: true });
  process.once("exit", clear);
  try {
    await work(temporary);
  } finally {
    process.off("exit", clear);
    await rm(temporary, { force: true });
  }
}

/** Refuse a path that cannot be written, by its folder, its kind or its name. Only plain files are
 * replaced.
 * @throws DynnError 'file/unwritable' */
export async function checkWritable(path: string): Promise<void> {
  try {
    checkName(path);
    const place = await outputPlace(path);
    sweepOnce(dirname(place));
    const stats = await stat(place).catch(() => undefined);
    if (stats && !stats.isFile()) throw new Error(stats.isDirectory() ? "it is a folder" : "it is not a regular file");
    if (!stats) probe(place);
    await throughTemporary(dirname(place), async (temporary) => (await open(temporary, "wx")).close());
  } catch (cause) {
    throw unwritable(path, cause, "Choose a file in a folder that exists and that you may write to.");
  }
}

/** Refuse a folder that cannot be made, by its own folder or its name.
 * @throws DynnError 'file/unwritable' */
export async function checkFolderName(path: string): Promise<void> {
  try {
    checkName(path);
    const place = await outputPlace(path);
    sweepOnce(dirname(resolve(place)));
    if (await stat(place).catch(() => undefined)) return;
    await mkdir(place);
    await rmdir(place);
  } catch (cause) {
    throw unwritable(path, cause, "Choose a place in a folder that exists and that you may write to.");
  }
}

/** Only the file system knows which names it takes (length, signs), so the name is tried: in one
 * go, so that no signal comes between. */
function probe(place: string): void {
  closeSync(openSync(place, "wx"));
  rmSync(place);
}

/** Node.js puts U+FFFD for bytes of an argument that are not UTF-8, and would write another file.
 * @throws Error */
function checkName(path: string): void {
  if (path.includes("\ufffd")) throw new Error("its name is not UTF-8");
}

/** Makes a folder, and first those above it. Node.js tries without end to make a folder in /proc
 * when it makes all of them in one go.
 * @throws the error of the system */
export async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  const isThere = async (folder: string) => (await stat(folder).catch(() => undefined)) !== undefined;
  if (above !== path && !(await isThere(above))) await makeFolder(above);
  await mkdir(path).catch(async (cause: unknown) => {
    if (!(await isThere(path))) throw cause;
  });
}

/** The error of an output that cannot be written. */
export const unwritable = (path: string, cause: unknown, remedy: string): DynnError =>
  new DynnError("file/unwritable", `${path}: cannot be written (${reasonOf(cause)}). ${remedy}`, { path }, { cause });

/** The code of a system error, or "" for any other error. */
export const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
