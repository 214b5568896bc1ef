/** @file A dataset from a pair of .npy files. */
import { basename } from "node:path";
import { DynnError } from "../../core/errors.js";
import type { Dataset } from "../../data/dataset.js";
import { readNpy } from "../../data/npy.js";
import { pairDataset } from "../../data/npy-dataset.js";
import { readBytes } from "./read.js";

/** Open images and labels.
 * @param argument IMAGES.npy,LABELS.npy
 * @throws DynnError 'data/spec', 'data/missing', and the errors of readNpy and pairDataset */
export async function openNpy(argument: string): Promise<Dataset> {
  const [images, labels, ...more] = argument.split(",");
  if (!images || !labels || more.length > 0)
    throw new DynnError("data/spec", `npy:${argument}: expected two files. Write npy:IMAGES.npy,LABELS.npy.`, {
      argument,
    });
  // One after the other, so that the same call always names the same file.
  const x = readNpy(await readBytes(images), images);
  const y = readNpy(await readBytes(labels), labels);
  return pairDataset(x, y, { name: `npy:${basename(images)}`, images, labels });
}
