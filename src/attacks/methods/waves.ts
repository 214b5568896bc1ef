/** @file The orthonormal cosine basis (DCT-II) of each channel of an image, from the lowest
 *  frequencies. */

import type { ImageDims } from "../../core/images.js";

/** Waves per side. An image has no more than it has pixels. */
const sides = ([, height, width]: ImageDims, frequencies: number): [number, number] => [
  Math.min(frequencies, height),
  Math.min(frequencies, width),
];

/** The number of waves, over all channels. */
export function waveCount(dims: ImageDims, frequencies: number): number {
  const [rows, columns] = sides(dims, frequencies);
  return dims[0] * rows * columns;
}

/** Adds a wave times a factor to an image, in place.
 * @param which the number of the wave, below {@link waveCount} */
export function addWave(
  image: Float32Array,
  dims: ImageDims,
  which: number,
  factor: number,
  frequencies: number,
): void {
  const [, height, width] = dims;
  const [rows, columns] = sides(dims, frequencies);
  const channel = Math.floor(which / (rows * columns));
  const down = waveOf(Math.floor(which / columns) % rows, height);
  const across = waveOf(which % columns, width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) image[(channel * height + y) * width + x] += factor * down[y] * across[x];
}

const waveOf = (frequency: number, n: number): Float64Array =>
  Float64Array.from(
    { length: n },
    (_, i) => Math.sqrt((frequency === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (2 * i + 1) * frequency) / (2 * n)),
  );

/** The sum of all waves, each times its weight. Rows and columns are summed one after the other.
 * @param weights one per wave, in the order of {@link addWave} */
export function mixed(weights: Float32Array, dims: ImageDims, frequencies: number): Float32Array {
  const [channels, height, width] = dims;
  const [rows, columns] = sides(dims, frequencies);
  const down = Array.from({ length: rows }, (_, u) => waveOf(u, height));
  const across = Array.from({ length: columns }, (_, v) => waveOf(v, width));
  const image = new Float32Array(channels * height * width);
  for (let cu = 0; cu < channels * rows; cu++) {
    const row = new Float64Array(width);
    across.forEach((wave, v) => {
      for (let x = 0; x < width; x++) row[x] += weights[cu * columns + v] * wave[x];
    });
    const from = Math.floor(cu / rows) * height * width;
    down[cu % rows].forEach((share, y) => {
      for (let x = 0; x < width; x++) image[from + y * width + x] += share * row[x];
    });
  }
  return image;
}
