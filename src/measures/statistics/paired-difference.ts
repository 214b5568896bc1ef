/** @file The difference of two rates on the same samples, with Tango's score interval. The interval
 *  excludes 0 exactly when McNemar's score test without correction rejects. It keeps its level for
 *  few discordant samples, where the interval of Wald does not. Source: Tango, Statistics in
 *  Medicine 17, 1998; method 10 of Newcombe is close to it. */
import { normalQuantile } from "./distributions.js";
import { rootOf } from "./root.js";
import { statisticsError } from "./sample.js";

/** A value with its interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Rate of A minus rate of B, and Tango's score interval.
 * @param onlyA samples on which A alone succeeds
 * @param onlyB samples on which B alone succeeds
 * @param n number of all samples, at least onlyA + onlyB and at least 1
 * @param level confidence level, 0.95 by default
 * @throws DynnError `statistics/value` for other counts
 * @example pairedDifference(15, 5, 120).value // 0.0833 */
export function pairedDifference(onlyA: number, onlyB: number, n: number, level = 0.95): Estimate {
  if (!(onlyA >= 0 && onlyB >= 0 && onlyA + onlyB <= n && n > 0))
    throw statisticsError(
      "pairedDifference",
      "the counts do not fit",
      `${onlyA}, ${onlyB} of ${n}`,
      "onlyA + onlyB <= n",
    );
  const z = normalQuantile(0.5 + level / 2);
  const score = (difference: number): number => tangoScore(onlyA, onlyB, n, difference);
  const value = (onlyA - onlyB) / n;
  return {
    value,
    low: value === -1 ? -1 : rootOf((d) => score(d) - z, -1, value),
    high: value === 1 ? 1 : rootOf((d) => score(d) + z, value, 1),
  };
}

/** Tango's statistic: the difference from `delta` over its standard error under `delta`. It falls
 * as `delta` rises. */
function tangoScore(b: number, c: number, n: number, delta: number): number {
  const above = b - c - n * delta;
  const linear = -b - c + (2 * n - b + c) * delta;
  const constant = -c * delta * (1 - delta);
  const q = (Math.sqrt(Math.max(0, linear * linear - 8 * n * constant)) - linear) / (4 * n);
  const variance = n * (2 * q + delta * (1 - delta));
  return variance > 0 ? above / Math.sqrt(variance) : Math.sign(above) * Infinity || 0;
}
