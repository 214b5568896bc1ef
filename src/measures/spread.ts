/** @file How a measure spreads over runs that differ in their seed. The interval is that of
 *  Student's t: runs are few, and their deviation is estimated. It tells of the draws of the runs,
 *  not of the draw of the samples. */
import { tQuantile } from "./statistics/distributions.js";

/** A measure over runs. */
export interface Spread {
  /** Mean over the runs. */
  readonly mean: number;
  /** Standard deviation, with the divisor runs - 1. */
  readonly deviation: number;
  /** Ends of the 95 % interval of the mean, within the possible values. */
  readonly low: number;
  readonly high: number;
  /** The measure of each run. */
  readonly values: number[];
}

/** The spread of a measure.
 * @param values one per run, at least two
 * @param possible smallest and largest possible value
 * @example
 * spreadOver([0.2, 0.3, 0.4], [0, 1]); // mean 0.3, deviation 0.1, from 0.052 to 0.548 */
export function spreadOver(values: readonly number[], [least, most]: readonly [number, number]): Spread {
  const n = values.length;
  // The rounded mean of equal values can leave them by one unit in the last place.
  const inRange = (value: number) => Math.min(Math.max(...values), Math.max(Math.min(...values), value));
  const mean = inRange(values.reduce((sum, v) => sum + v, 0) / n);
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1));
  const half = deviation === 0 ? 0 : (tQuantile(0.975, n - 1) * deviation) / Math.sqrt(n);
  return {
    ...{ mean, deviation, values: [...values] },
    low: Math.max(least, mean - half),
    high: Math.min(most, mean + half),
  };
}
