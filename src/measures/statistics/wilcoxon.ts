/** @file Wilcoxon's exact signed-rank test. It counts all sign patterns of the ranks, so it is
 *  exact with ties as well. Source: Wilcoxon, Biometrics Bulletin 1, 1945. Zeros are left out, as
 *  there. */
import { midRanks } from "./ranks.js";
import { requireValues } from "./sample.js";

export interface Wilcoxon {
  /** Sum of the ranks of values above 0. */
  readonly statistic: number;
  /** Two-sided p value. */
  readonly p: number;
  /** One-sided p value of values above 0. */
  readonly greater: number;
  /** One-sided p value of values below 0. */
  readonly less: number;
}

/** Tests whether values are symmetric around 0.
 * @throws DynnError `statistics/value` for a number that is not finite
 * @example wilcoxon([1, 2, 3, 4, 5]).p // 0.0625 */
export function wilcoxon(values: ArrayLike<number>): Wilcoxon {
  requireValues("wilcoxon", values, 0);
  const kept = Array.from(values).filter((value) => value !== 0);
  // Mid-ranks are halves, so that twice a rank is a whole number.
  const doubled = midRanks(kept.map(Math.abs)).map((rank) => 2 * rank);
  const statistic = doubled.reduce((sum, rank, i) => (kept[i] > 0 ? sum + rank : sum), 0);
  const chances = subsetSums(doubled);
  const greater = chances.subarray(statistic).reduce((a, b) => a + b, 0);
  const less = chances.subarray(0, statistic + 1).reduce((a, b) => a + b, 0);
  return { statistic: statistic / 2, p: Math.min(1, 2 * Math.min(greater, less)), greater, less };
}

/** Chance of each sum of a random subset of whole numbers. */
function subsetSums(numbers: readonly number[]): Float64Array {
  const chances = new Float64Array(numbers.reduce((a, b) => a + b, 0) + 1);
  chances[0] = 1;
  for (const number of numbers)
    for (let sum = chances.length - 1; sum >= 0; sum--)
      chances[sum] = (chances[sum] + (sum >= number ? chances[sum - number] : 0)) / 2;
  return chances;
}
