/** @file Correlations of two lists. Sources: Pearson with Fisher's z interval (Metron 1, 1921);
 *  Spearman, American Journal of Psychology 15, 1904, with the interval of Bonett and Wright,
 *  Psychometrika 65, 2000, equation 3; Kendall's tau-b, Biometrika 33, 1945. */
import { normalQuantile } from "./distributions.js";
import type { Estimate } from "./paired-difference.js";
import { midRanks } from "./ranks.js";
import { meanOf, requireEqual, requireValues } from "./sample.js";

/** Linear correlation with the interval of Fisher's z.
 * @param x at least four numbers
 * @param level confidence level, 0.95 by default
 * @returns NaN where a list does not vary
 * @throws DynnError `statistics/value` for lists of different lengths or fewer than four numbers
 * @example pearson([1, 2, 3, 4], [1, 2, 3, 5]).value // 0.9827 */
export function pearson(x: readonly number[], y: readonly number[], level = 0.95): Estimate {
  requireValues("pearson", x, 4);
  requireValues("pearson", y, 4);
  const value = correlation(x, y);
  const half = normalQuantile(0.5 + level / 2) / Math.sqrt(x.length - 3);
  return { value, low: Math.tanh(Math.atanh(value) - half), high: Math.tanh(Math.atanh(value) + half) };
}

/** Rank correlation of Spearman, mid-ranks for ties.
 * @returns NaN where a list does not vary
 * @throws DynnError `statistics/value` for lists of different lengths
 * @example spearman([1, 2, 3], [1, 4, 9]) // 1 */
export const spearman = (x: readonly number[], y: readonly number[]): number => correlation(midRanks(x), midRanks(y));

/** Rank correlation of Spearman with its interval: Fisher's z, with the variance (1 + rho^2 / 2) /
 * (n - 3).
 * @param x at least four numbers
 * @param level confidence level, 0.95 by default
 * @returns NaN where a list does not vary
 * @throws DynnError `statistics/value` for lists of different lengths or fewer than four numbers
 * @example spearmanInterval([1, 2, 3, 4, 5], [1, 2, 3, 5, 4]).value // 0.9 */
export function spearmanInterval(x: readonly number[], y: readonly number[], level = 0.95): Estimate {
  requireValues("spearmanInterval", x, 4);
  requireValues("spearmanInterval", y, 4);
  const value = spearman(x, y);
  const half = normalQuantile(0.5 + level / 2) * Math.sqrt((1 + value ** 2 / 2) / (x.length - 3));
  return { value, low: Math.tanh(Math.atanh(value) - half), high: Math.tanh(Math.atanh(value) + half) };
}

/** Rank correlation tau-b of Kendall, which accounts for ties.
 * @returns NaN where a list does not vary
 * @throws DynnError `statistics/value` for lists of different lengths
 * @example kendall([1, 2, 3], [1, 3, 2]) // 0.3333 */
export function kendall(x: readonly number[], y: readonly number[]): number {
  requireEqual("kendall", x, y);
  let [agreement, untiedX, untiedY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [Math.sign(x[i] - x[j]), Math.sign(y[i] - y[j])];
      agreement += a * b;
      untiedX += a * a;
      untiedY += b * b;
    }
  return agreement / Math.sqrt(untiedX * untiedY);
}

function correlation(x: readonly number[], y: readonly number[]): number {
  requireEqual("correlation", x, y);
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] - meanX, y[i] - meanY];
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  // Rounding must not put a correlation outside [-1,1].
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}
