/** @file A small source that threads can open, for the tests of prefetch. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniform } from "../../../src/core/rng.js";
import { tensor } from "../../../src/core/tensor.js";
import type { TrainingBatch } from "../../../src/data/batches.js";
import { writeNpy } from "../../../src/data/npy.js";
import type { PrefetchOptions } from "../../../src/node/data/prefetch.js";
import { temporaryFolder } from "../../data/support.js";

const folder = temporaryFolder();
const file = (name: string) => join(folder, `${name}.npy`);
const pixels = uniform({ seed: 1, sample: 0, purpose: "test", step: 0 }, 100 * 192);
writeFileSync(file("x"), writeNpy(tensor("float32", [100, 3, 8, 8], pixels)));
writeFileSync(
  file("y"),
  writeNpy(
    tensor(
      "uint8",
      [100],
      Uint8Array.from({ length: 100 }, (_, i) => i % 10),
    ),
  ),
);

/** 70 of 100 records [3,8,8]; label i mod 10. */
export const SOURCE = {
  spec: `npy:${file("x")},${file("y")}`,
  indices: Uint32Array.from({ length: 70 }, (_, i) => (i * 7) % 100),
};
/** Ten batches, from the middle of the first epoch on. */
export const OPTIONS: PrefetchOptions = {
  batch: 16,
  seed: 3,
  classes: 10,
  augmentation: { flip: true, crop: { pad: 4, mode: "reflect" }, cutout: 8 },
  fill: [0.5, 0.4, 0.3],
  epochs: 3,
  from: { epoch: 0, step: 2 },
};

export async function collect(iterable: AsyncIterable<TrainingBatch>): Promise<TrainingBatch[]> {
  const all: TrainingBatch[] = [];
  for await (const batch of iterable) all.push(batch);
  return all;
}
