/** @file What rows of numbers hold, by their values alone: probabilities or logits. */

/** What the rows of an output look like: distributions over the classes, a probability for each
 * label of several, or something else. */
export type RowsKind = "probabilities" | "labels" | "logits";

/** How far the sum of float32 or float16 probabilities may be from 1. */
const SUM_TOLERANCE = 2e-3;

/** Rows that are needed to take numbers within [0,1] for probabilities of labels. */
const LEAST_ROWS = 8;
/** Numbers within [0,1] that never come near 1 may be small logits, such as means of ReLUs. */
const SURE = 0.9;

/** What rows hold, by their values alone: all within [0,1] and each with the sum 1, or all within
 * [0,1] with other sums.
 * @param values [n * classes] */
export function rowsKind(values: ArrayLike<number>, classes: number): RowsKind {
  let summed = values.length > 0;
  let most = 0;
  for (let at = 0; at < values.length; at += classes) {
    let sum = 0;
    for (let c = at; c < at + classes; c++) {
      const value = values[c];
      if (!(value >= 0 && value <= 1 + SUM_TOLERANCE)) return "logits";
      most = Math.max(most, value);
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) summed = false;
  }
  if (summed) return "probabilities";
  return most > SURE && values.length >= LEAST_ROWS * classes ? "labels" : "logits";
}
