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
  for (let at = 0; at < pixels.length; at++) {
    // Written so that NaN counts as outside.
    if (pixels[at] >= 0 && pixels[at] <= 1) continue;
    const row = Math.floor(at / size);
    const [record, value] = [records ? records[row] : row, pixels[at]];
    throw new DynnError(
      "data/value",
      `${name}: record ${record} has a pixel of ${value}, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model.`,
      { record, value },
    );
  }
}
