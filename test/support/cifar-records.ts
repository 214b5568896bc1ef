/** @file The first test records of CIFAR-10, from test/fixtures/cifar, for tests and for scripts. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sizeOf } from "../../src/core/shape.js";
import { CIFAR10 } from "../../src/data/cifar.js";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { cropPlanes, decodeImage } from "../../src/node/data/image.js";

const file = (name: string): string => fileURLToPath(new URL(`../fixtures/cifar/${name}`, import.meta.url));
const TILE = { width: 32, height: 32 };
const SHAPE = [3, TILE.height, TILE.width] as const;

export interface Records {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

/** Records 0 to 255 of the test split, as a data set. */
export async function cifarTestRecords(): Promise<Dataset> {
  const labels = Int32Array.from(JSON.parse(readFileSync(file("first256.json"), "utf8")) as number[]);
  const image = await decodeImage(file("first256.webp"));
  const pixels = new Uint8Array(labels.length * sizeOf(SHAPE));
  labels.forEach((_, i) => {
    pixels.set(cropPlanes(image, TILE, 0, i * TILE.height), i * sizeOf(SHAPE));
  });
  return inMemory({ name: "cifar10:test", shape: SHAPE, classes: CIFAR10.classes, labels }, pixels);
}

/** Pixels and labels of the first records of a data set. */
export const firstRecords = (data: Dataset, count: number): Promise<Records> =>
  chosenRecords(
    data,
    Array.from({ length: count }, (_, i) => i),
  );

/** Pixels and labels of some records of a data set. */
export async function chosenRecords(data: Dataset, records: readonly number[]): Promise<Records> {
  const pixels = new Float32Array(records.length * sizeOf(data.shape));
  await data.read(records, pixels);
  return { pixels, labels: Int32Array.from(records, (record) => data.labels[record]) };
}
