/** @file CIFAR-10 itself, for slow tests: unpacked from the shared folder (some seconds) and removed after the test file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { unpackCifar10 } from "./cifar-records.js";

export { firstRecords } from "./cifar-records.js";

/** Call inside a `describe` that is skipped without the shared folder.
 * @returns the folder that the official archive unpacks into, there once the tests run */
export function unpackedCifar10(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-cifar-"));
  beforeAll(() => unpackCifar10(folder));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
