/** @file Random changes of training images: mirroring, padded crops, cutout. All random numbers of
 *  an image are a function of (seed, record, epoch). So batch size, order, workers and a resume do
 *  not affect them. Each change keeps its numbers when another change is switched off. */

import { DynnError } from "../core/errors.js";
import { uniform } from "../core/rng.js";
import { sizeOf } from "../core/shape.js";
import { counted } from "../core/units.js";

/** Random changes of training images, never of validation or test images. A change is off when its
 * field is undefined. */
export interface Augmentation {
  /** Mirror left-right with probability 1/2. */
  readonly flip: boolean;
  /** Pad by this many pixels on each side, then cut out the original size at a random place.
   * Undefined: no crop. */
  readonly crop: { readonly pad: number; readonly mode: "reflect" | "zero" } | undefined;
  /** Side in pixels of a square of mean colour at a random place (DeVries & Taylor 2017).
   * Undefined: no cutout. */
  readonly cutout: number | undefined;
}

/** No change of the images. */
export const NO_AUGMENTATION: Augmentation = { flip: false, crop: undefined, cutout: undefined };

export interface AugmentOptions {
  readonly augmentation: Augmentation;
  /** Colour of the cutout, one value per channel: the mean of the data set. */
  readonly fill: readonly number[];
  readonly seed: number;
  readonly epoch: number;
  /** Record number of each row. */
  readonly samples: ArrayLike<number>;
}

/** Number of random numbers per image: mirror, crop row, crop column, cutout row, cutout column. */
const DRAWS = 5;

/** Marks a place outside of the image in a map of rows or columns. */
const BLACK = -1;

/** Checks that an augmentation fits the images.
 * @param shape [c,h,w] of an image
 * @throws DynnError 'cli/value' */
export function checkAugmentation(
  { crop, cutout }: Augmentation,
  [c, h, w]: readonly [number, number, number],
  fill: readonly number[],
): void {
  const most = Math.min(h, w) - 1;
  if (crop && !(Number.isInteger(crop.pad) && crop.pad >= 0 && (crop.mode === "zero" || crop.pad <= most)))
    throw new DynnError(
      "cli/value",
      `augmentation: got a crop padded by ${counted(crop.pad, "pixel")} (${crop.mode}), expected an integer from 0${crop.mode === "reflect" ? ` to ${most}, one less than the image's side` : ""}. Change the padding.`,
      { crop, height: h, width: w },
    );
  if (cutout !== undefined && !(Number.isInteger(cutout) && cutout >= 1))
    throw new DynnError(
      "cli/value",
      `augmentation: got a cutout of side ${cutout}, expected an integer from 1. Give a side in pixels, or leave cutout out.`,
      { cutout },
    );
  if (cutout !== undefined && !(fill.length === c && fill.every(Number.isFinite)))
    throw new DynnError(
      "cli/value",
      `augmentation: got the cutout colour [${fill.join(", ")}], expected ${counted(c, "number")}, one for each channel. Give the mean of the training images.`,
      { fill, channels: c },
    );
}

/** Changes a batch in place: crop, then mirror, then cutout.
 * @param pixels float32 [n,c,h,w] in [0,1], n = options.samples.length. Padding of mode "zero" is 0
 *  (black)
 * @param shape [c,h,w]
 * @throws DynnError 'cli/value', as {@link checkAugmentation} */
export function augment(pixels: Float32Array, shape: readonly [number, number, number], options: AugmentOptions): void {
  const { augmentation, fill, seed, epoch, samples } = options;
  const { flip, crop, cutout } = augmentation;
  checkAugmentation(augmentation, shape, fill);
  if (!flip && !crop && cutout === undefined) return;
  const [, h, w] = shape;
  const size = sizeOf(shape);
  const before = new Float32Array(size);
  for (let i = 0; i < samples.length; i++) {
    const image = pixels.subarray(i * size, (i + 1) * size);
    const draws = uniform({ seed, sample: samples[i], purpose: "augment", step: epoch }, DRAWS);
    const mirrored = flip && draws[0] < 0.5;
    if (crop || mirrored) {
      const rows = cropMap(h, crop, draws[1]);
      const columns = cropMap(w, crop, draws[2]);
      before.set(image);
      gather(before, image, rows, mirrored ? columns.reverse() : columns);
    }
    if (cutout !== undefined)
      fillSquare(image, shape, { side: cutout, row: Math.floor(draws[3] * h), column: Math.floor(draws[4] * w), fill });
  }
}

/** The row (or column) of the image for each row of the crop.
 * @param draw in [0,1): the place of the crop, uniform over its 2 * pad + 1 offsets */
function cropMap(length: number, crop: Augmentation["crop"], draw: number): Int32Array {
  const first = crop ? Math.floor(draw * (2 * crop.pad + 1)) - crop.pad : 0;
  return Int32Array.from({ length }, (_, i) => inside(first + i, length, crop?.mode ?? "zero"));
}

/** "reflect" mirrors at the border pixel and does not repeat it, as NumPy and PyTorch do. */
function inside(at: number, length: number, mode: "reflect" | "zero"): number {
  if (at >= 0 && at < length) return at;
  if (mode === "zero") return BLACK;
  return at < 0 ? -at : 2 * (length - 1) - at;
}

/** out[c, y, x] = image[c, rows[y], columns[x]] for every channel. */
function gather(image: Float32Array, out: Float32Array, rows: Int32Array, columns: Int32Array): void {
  const [h, w] = [rows.length, columns.length];
  let at = 0;
  for (let plane = 0; plane < image.length; plane += h * w)
    for (let y = 0; y < h; y++) {
      const row = plane + rows[y] * w;
      const outside = rows[y] === BLACK;
      for (let x = 0; x < w; x++) out[at++] = outside || columns[x] === BLACK ? 0 : image[row + columns[x]];
    }
}

interface Square {
  readonly side: number;
  /** Row of the centre. With an even side, the pixel to the right of and below the centre. */
  readonly row: number;
  readonly column: number;
  readonly fill: readonly number[];
}

/** Paints the part of the square that is inside the image. The centre is always inside. */
function fillSquare(image: Float32Array, [c, h, w]: readonly [number, number, number], square: Square): void {
  const top = square.row - Math.floor(square.side / 2);
  const left = square.column - Math.floor(square.side / 2);
  const [from, to] = [Math.max(0, left), Math.min(w, left + square.side)];
  for (let channel = 0; channel < c; channel++)
    for (let y = Math.max(0, top); y < Math.min(h, top + square.side); y++) {
      const row = (channel * h + y) * w;
      image.fill(square.fill[channel], row + from, row + to);
    }
}
