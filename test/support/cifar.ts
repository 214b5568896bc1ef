/** @file CIFAR-10 itself, for slow tests: unpacked from the shared folder (some seconds) and removed after the test file. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { sizeOf } from "../../src/core/shape.js";
import type { Dataset } from "../../src/data/dataset.js";
import { openDataset } from "../../src/data/files/open.js";
import { shared } from "./shared.js";

/** Call inside a `describe` that is skipped without the shared folder.
 * @returns the folder that the official archive unpacks into, there once the tests run */
export function unpackedCifar10(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-cifar-"));
  beforeAll(() => {
    execFileSync(process.execPath, [shared("data/unpack.mjs"), folder, "cifar-10"]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Pixels and labels of the first records of the test split. */
export async function firstRecords(
  folder: string,
  count: number,
): Promise<{ pixels: Float32Array; labels: Int32Array }> {
  const data: Dataset = await openDataset(`cifar10:${folder}`);
  const pixels = new Float32Array(count * sizeOf(data.shape));
  await data.read(
    Array.from({ length: count }, (_, i) => i),
    pixels,
  );
  return { pixels, labels: data.labels.slice(0, count) };
}
