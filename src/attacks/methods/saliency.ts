/** @file The best pair of a saliency map. */

/** Finds the two values p, q with the largest (a[p] + a[q]) * |b[p] + b[q]|, where the first sum is
 * above 0 and the second is below 0. It is exact: a value with two others that are at least as good
 * in both derivatives is in no pair that is better than all others. Source: Papernot et al. 2016,
 * algorithm 3.
 * @param a derivative of the logit that is to rise, by value
 * @param b derivative of the logits that are to fall, by value
 * @param open the values that may change
 * @returns undefined when no pair qualifies */
export function bestPair(
  a: Float32Array,
  b: Float32Array,
  open: readonly number[],
): readonly [number, number] | undefined {
  const values = front(a, b, open);
  let [best, pair]: [number, readonly [number, number] | undefined] = [0, undefined];
  for (const [k, p] of values.entries())
    for (const q of values.slice(k + 1)) {
      const [rise, fall] = [a[p] + a[q], -b[p] - b[q]];
      if (rise > 0 && fall > 0 && rise * fall > best) [best, pair] = [rise * fall, [p, q]];
    }
  return pair;
}

/** The values with at most one other that is at least as good in both derivatives. */
function front(a: Float32Array, b: Float32Array, open: readonly number[]): number[] {
  const order = [...open].sort((p, q) => a[q] - a[p] || b[p] - b[q] || p - q);
  let [least, second] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  return order.filter((i) => {
    if (b[i] >= second) return false;
    [least, second] = b[i] < least ? [b[i], least] : [least, b[i]];
    return true;
  });
}
