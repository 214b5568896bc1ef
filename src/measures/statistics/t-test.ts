/** @file Student's t test and interval of a mean, here of one difference per block. The interval is
 *  exact for normal differences, at any number of blocks. Source: Student, Biometrika 6, 1908. */
import { tQuantile, tTail } from "./distributions.js";
import { deviationOf, meanOf, requireValues } from "./sample.js";

export interface TTest {
  readonly mean: number;
  /** Standard error of the mean. */
  readonly error: number;
  readonly t: number;
  readonly df: number;
  /** Two-sided p value. */
  readonly p: number;
  /** One-sided p value of a mean above `reference`. */
  readonly greater: number;
  /** One-sided p value of a mean below `reference`. */
  readonly less: number;
  readonly low: number;
  readonly high: number;
}

/** Tests the mean of at least two numbers against `reference`.
 * @param level level of the two-sided interval, 0.95 by default
 * @throws DynnError `statistics/value` for fewer than two numbers or one that is not finite
 * @example tTest([1, 2, 3]).t // 3.4641 */
export function tTest(values: ArrayLike<number>, reference = 0, level = 0.95): TTest {
  requireValues("tTest", values, 2);
  const df = values.length - 1;
  const mean = meanOf(values);
  const error = deviationOf(values) / Math.sqrt(values.length);
  // Equal numbers have no error. The mean then differs from the reference for certain, or not.
  const t = error > 0 ? (mean - reference) / error : Math.sign(mean - reference) * Infinity || 0;
  const half = tQuantile(0.5 + level / 2, df) * error;
  const greater = tTail(t, df);
  return {
    mean,
    error,
    t,
    df,
    p: Math.min(1, 2 * tTail(Math.abs(t), df)),
    greater,
    less: tTail(-t, df),
    low: mean - half,
    high: mean + half,
  };
}
