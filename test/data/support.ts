/** @file What the tests of this room share: a temporary folder, reading everything, and tiny CIFAR bytes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { sizeOf } from "../../src/core/shape.js";
import type { Dataset } from "../../src/data/dataset.js";

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dynn-data-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Pixels of some records, all by default. */
export async function readPixels(dataset: Dataset, indices?: readonly number[]): Promise<Float32Array> {
  const wanted = indices ?? Array.from({ length: dataset.count }, (_, i) => i);
  const out = new Float32Array(wanted.length * sizeOf(dataset.shape));
  await dataset.read(wanted, out);
  return out;
}

/** One CIFAR record: label bytes, then pixel i of the record is (first + i) mod 256. */
export const cifarRecord = (labels: readonly number[], first = 0): Uint8Array =>
  Uint8Array.from([...labels, ...Array.from({ length: 3072 }, (_, i) => (first + i) % 256)]);

export const join8 = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
