/** @file p values adjusted for the number of tests. Holm keeps the chance of any false rejection,
 *  and Benjamini-Hochberg the share of false ones among the rejections. Sources: Holm,
 *  Scandinavian Journal of Statistics 6, 1979; Benjamini and Hochberg, JRSS B 57, 1995. */

/** Adjusted p values by Holm, in the order given.
 * @param p values from 0 to 1
 * @example holm([0.01, 0.04]) // [0.02, 0.04] */
export function holm(p: readonly number[]): number[] {
  const order = ascending(p);
  let largest = 0;
  return placed(order, (index, rank) => {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[index]));
    return largest;
  });
}

/** Adjusted p values by Benjamini and Hochberg, in the order given.
 * @param p values from 0 to 1
 * @example benjaminiHochberg([0.01, 0.04]) // [0.02, 0.04] */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = ascending(p).reverse();
  let smallest = 1;
  return placed(order, (index, rank) => {
    smallest = Math.min(smallest, (p.length / (p.length - rank)) * p[index]);
    return smallest;
  });
}

const ascending = (p: readonly number[]): number[] => p.map((_, i) => i).sort((a, b) => p[a] - p[b]);

/** Results of `adjust`, called in `order`, each at its own index. */
function placed(order: readonly number[], adjust: (index: number, rank: number) => number): number[] {
  const out: number[] = new Array(order.length);
  for (const [rank, index] of order.entries()) out[index] = adjust(index, rank);
  return out;
}
