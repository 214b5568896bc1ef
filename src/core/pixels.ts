/** @file The check that pixels are in [0,1]. Normalisation is inside the model. */
import { DynnError } from "./errors.js";

/** Checks that no pixel is NaN or outside [0,1].
 * @param source whole records of `size` pixels, and a name for messages
 * @param records the record of each row, when it is not the row's own number
 * @throws DynnError 'data/value' naming the first bad record */
export function checkPixels(
  source: { readonly name: string; readonly pixels: Float32Array | Float64Array },
  size: number,
  records?: ArrayLike<number>,
): void {
  const { name, pixels } = source;
  const at = firstOutside(pixels);
  if (at === pixels.length) return;
  const row = Math.floor(at / size);
  const [record, value] = [records ? records[row] : row, pixels[at]];
  throw new DynnError(
    "data/value",
    `${name}: record ${record} has a pixel of ${value}, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model.`,
    { record, value },
  );
}

/** NaN fails both comparisons, so it counts as outside. */
const isPixel = (value: number): boolean => value >= 0 && value <= 1;

/** The place of the first number outside [0,1], or the length. Every classified image passes
 * this check, so it compares whole stretches as bits first. */
function firstOutside(pixels: Float32Array | Float64Array): number {
  const bits = pixels instanceof Float32Array ? new Int32Array(pixels.buffer, pixels.byteOffset, pixels.length) : [];
  let at = 0;
  while (at + STRETCH <= bits.length && areBitsOfPixels(bits, at)) at += STRETCH;
  while (at < pixels.length && isPixel(pixels[at])) at++;
  return at;
}

const STRETCH = 256;
const BITS_OF_ONE = 0x3f800000;

/** Whether a stretch of float32 is certainly in [0,1]. Bits of positive floats, read as
 * integers, have the order of the floats. The bits of negative numbers and of NaN are negative
 * or above the bits of 1. This also holds for -0, which the slow check then accepts. Four
 * numbers at a time take half the time of one at a time. */
function areBitsOfPixels(bits: ArrayLike<number>, from: number): boolean {
  let signs = 0;
  for (let at = from; at < from + STRETCH; at += 4) {
    const [a, b, c, d] = [bits[at], bits[at + 1], bits[at + 2], bits[at + 3]] as [number, number, number, number];
    signs |= a | (BITS_OF_ONE - a) | b | (BITS_OF_ONE - b) | c | (BITS_OF_ONE - c) | d | (BITS_OF_ONE - d);
  }
  return signs >= 0;
}
