/** @file Smoothing of images and gradients: each channel is convolved with one row of weights along
 *  both axes. */

import type { ImageDims } from "../core/images.js";

/** What lies beyond the edge: zeros, or the image in a mirror at the edge. */
export type Edge = "zero" | "mirror";

/** Weights of a Gaussian over 2 * reach + 1 pixels, of sum 1.
 * @param sigma the standard deviation, in pixels */
export function gaussian(reach: number, sigma: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((a, b) => a + b);
  return weights.map((v) => v / total);
}

/** Convolves each channel with the weights, along the rows and along the columns.
 * @param image float32 [c*h*w]
 * @param weights an odd number of weights, symmetric */
export function smooth(
  image: Float32Array,
  [channels, height, width]: ImageDims,
  weights: Float64Array,
  edge: Edge,
): Float32Array {
  const out = Float64Array.from(image);
  for (let c = 0; c < channels; c++) {
    const plane = out.subarray(c * height * width, (c + 1) * height * width);
    for (let y = 0; y < height; y++) along(plane, y * width, 1, width, weights, edge);
    for (let x = 0; x < width; x++) along(plane, x, width, height, weights, edge);
  }
  return Float32Array.from(out);
}

/** Convolves one line of a plane, in place. */
function along(
  plane: Float64Array,
  start: number,
  stride: number,
  length: number,
  weights: Float64Array,
  edge: Edge,
): void {
  const line = Float64Array.from({ length }, (_, i) => plane[start + i * stride]);
  const reach = (weights.length - 1) / 2;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let k = -reach; k <= reach; k++) {
      const at = edge === "mirror" ? mirrored(i + k, length) : i + k;
      if (at >= 0 && at < length) sum += weights[k + reach] * line[at];
    }
    plane[start + i * stride] = sum;
  }
}

/** The place that a place beyond the edge shows, where the edge pixel appears twice. */
function mirrored(at: number, length: number): number {
  const inPeriod = ((at % (2 * length)) + 2 * length) % (2 * length);
  return inPeriod < length ? inPeriod : 2 * length - 1 - inPeriod;
}
