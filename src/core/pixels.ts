/** @file Pixels lie in [0,1]: normalisation is inside the model. */
import { DynnError } from "./errors.js";

/** Refuse pixels that are NaN or outside [0,1].
 * @param source  whole records of `size` pixels, and what to call them
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

/** Written so that NaN counts as outside. */
const isPixel = (value: number): boolean => value >= 0 && value <= 1;

/** Where the first number outside [0,1] is, or the length. Four at a time, in half the time: every image that is classified comes by here. */
function firstOutside(pixels: Float32Array | Float64Array): number {
  let at = 0;
  for (const whole = pixels.length - 3; at < whole; at += 4)
    if (!(isPixel(pixels[at]) && isPixel(pixels[at + 1]) && isPixel(pixels[at + 2]) && isPixel(pixels[at + 3]))) break;
  while (at < pixels.length && isPixel(pixels[at])) at++;
  return at;
}
