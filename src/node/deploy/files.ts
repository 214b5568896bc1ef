/** @file Writes an export: all files go to a temporary folder beside the target, are checked there,
 *  and are then renamed.
 *  After a failure, a Ctrl-C or a full disk the earlier files are unchanged, and nothing else is
 *  left behind. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DynnError, reasonOf } from "../../core/errors.js";
import { replaceFile } from "../onnx-files.js";
import { MANIFEST, openManifest } from "./bundle.js";

export interface OutputFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Write a folder of files. An existing bundle is replaced. Any other folder that is not empty is
 * refused.
 * @param check called with the temporary folder; its error stops the export
 * @throws DynnError 'file/unwritable', 'file/full', and the errors of `check` */
export async function publishFolder<T>(
  out: string,
  files: readonly OutputFile[],
  check: (folder: string) => Promise<T>,
): Promise<T> {
  await checkReplaceable(out);
  return inTemporary(out, async (temporary) => {
    const made = join(temporary, "new");
    const result = await writeAndCheck(made, files, check);
    swap(made, out, join(temporary, "old"));
    return result;
  });
}

/** Write one file.
 * @param check called with the temporary file; its error stops the export
 * @throws DynnError 'file/unwritable', 'file/full', and the errors of `check` */
export async function publishFile<T>(out: string, bytes: Uint8Array, check: (path: string) => Promise<T>): Promise<T> {
  const file = { name: basename(out), bytes };
  return inTemporary(out, async (temporary) => {
    const result = await writeAndCheck(temporary, [file], (folder) => check(join(folder, file.name)));
    swap(join(temporary, file.name), out);
    return result;
  });
}

/** Refuse a folder that is neither empty nor a bundle: to replace it would delete its files.
 * @throws DynnError 'file/unwritable' */
export async function checkReplaceable(out: string): Promise<void> {
  if (!(await exists(out))) return;
  const held = await readdir(out).catch(() => undefined);
  if (held?.length === 0) return;
  const manifest = await openManifest(out).catch(() => undefined);
  const known = new Set([MANIFEST, ...(manifest?.parts.map(({ file }) => file) ?? [])]);
  if (manifest && held?.every((name) => known.has(name))) return;
  throw new DynnError(
    "file/unwritable",
    `${out}: exists and ${held ? "holds files that are not a bundle's" : "is not a folder"}. Choose a new folder, an empty folder or a bundle.`,
    { out },
  );
}

async function writeAndCheck<T>(
  folder: string,
  files: readonly OutputFile[],
  check: (folder: string) => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of files) await replaceFile(join(folder, name), bytes);
  return check(folder);
}

/** Work in a temporary folder beside `out`. The folder is removed at the end, also when the process
 * must end at once. */
async function inTemporary<T>(out: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(dirname(resolve(out)), `.dynn-export-${process.pid}-${Date.now()}.tmp`);
  const clear = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clear);
  try {
    await mkdir(folder).catch((cause: unknown) => {
      throw unwritable(out, cause);
    });
    return await work(folder);
  } finally {
    process.off("exit", clear);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Put `made` at `out`. An existing folder is first renamed to `old`. Both renames run without a
 * pause, so that no signal comes between them.
 * @throws DynnError 'file/unwritable' */
function swap(made: string, out: string, old?: string): void {
  const moved = old !== undefined && existsSync(out);
  try {
    if (moved) renameSync(out, old);
    renameSync(made, out);
  } catch (cause) {
    if (moved && !existsSync(out)) renameSync(old, out);
    throw unwritable(out, cause);
  }
}

const unwritable = (path: string, cause: unknown): DynnError =>
  new DynnError(
    "file/unwritable",
    `${path}: cannot be written (${reasonOf(cause)}). Choose a place in a folder that exists and that you may write to.`,
    { path },
    { cause },
  );

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;
