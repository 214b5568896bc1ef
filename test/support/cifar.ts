/** @file The whole of CIFAR-10, for the few slow tests that need it: the folder that DYNN_CIFAR names, or else the packed archive in
 *  `../shared` beside the checkout. Tests that need it say so in their name; they are skipped where it is absent. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** A folder that holds `cifar-10-batches-bin`, the official binary archive unpacked. */
const named = process.env.DYNN_CIFAR;
const unpack = resolve(import.meta.dirname, "../../../shared/data/unpack.mjs");

export const hasCifar10 = named !== undefined || existsSync(unpack);

/** Call inside a `describe` that is skipped without `hasCifar10`.
 * @returns the folder of the archive; the archive is there once the tests run */
export function cifar10Folder(): string {
  if (named !== undefined) return named;
  const folder = mkdtempSync(join(tmpdir(), "dynn-cifar-"));
  beforeAll(() => {
    execFileSync(process.execPath, [unpack, folder, "cifar-10"]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
