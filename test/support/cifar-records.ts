/** @file CIFAR-10's archive from the shared folder, and records of its test split, for tests and for scripts. */
import { execFileSync } from "node:child_process";
import { sizeOf } from "../../src/core/shape.js";
import type { Dataset } from "../../src/data/dataset.js";
import { openDataset } from "../../src/node/data/open.js";
import { shared } from "./shared.js";

/** Unpack the official archive into a folder. */
export function unpackCifar10(folder: string): void {
  execFileSync(process.execPath, [shared("data/unpack.mjs"), folder, "cifar-10"]);
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
