/** @file Which images two datasets share. Data under two names may hold the same images, so it is the images that are compared. */
import { createHash } from "node:crypto";
import { sizeOf } from "../../core/shape.js";
import type { Dataset } from "../../data/dataset.js";

/** A digest of each image. */
export async function fingerprints(data: Dataset): Promise<string[]> {
  const pixels = new Float32Array(sizeOf(data.shape));
  const prints: string[] = [];
  for (let i = 0; i < data.count; i++) {
    await data.read([i], pixels);
    prints.push(createHash("sha1").update(new Uint8Array(pixels.buffer)).digest("base64"));
  }
  return prints;
}
