/** @file Mid-ranks: equal values share the mean of their ranks. */

/** Ranks from 1 on, in the order given.
 * @example midRanks([10, 30, 10]) // [1.5, 3, 1.5] */
export function midRanks(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks: number[] = new Array(order.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (const index of order.slice(start, end)) ranks[index] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}
