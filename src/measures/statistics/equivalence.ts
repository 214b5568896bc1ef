/** @file Tests that an effect is small: two one-sided t tests (TOST), and non-inferiority. Source:
 *  Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987. */
import { statisticsError } from "./sample.js";
import { tTest } from "./t-test.js";

export interface Tost {
  /** p value against a mean at or below -margin. */
  readonly lower: number;
  /** p value against a mean at or above margin. */
  readonly upper: number;
  /** The larger of both. Below alpha, the mean lies within the margins. */
  readonly p: number;
}

/** Tests that the mean lies between -margin and margin.
 * @param margin above 0
 * @throws DynnError `statistics/value` for a margin of 0 or fewer than two numbers
 * @example tost([0.01, -0.01, 0.02, 0], 0.1).p < 0.01 // true */
export function tost(values: ArrayLike<number>, margin: number): Tost {
  if (!(margin > 0)) throw statisticsError("tost", "the margin does not fit", `${margin}`, "a number above 0");
  const lower = tTest(values, -margin).greater;
  const upper = tTest(values, margin).less;
  return { lower, upper, p: Math.max(lower, upper) };
}

/** One-sided p value that the mean lies below the margin: a rise, if any, is smaller.
 * @throws DynnError `statistics/value` for fewer than two numbers
 * @example nonInferiority([0.01, 0.02, 0, 0.01], 0.05) < 0.01 // true */
export const nonInferiority = (values: ArrayLike<number>, margin: number): number => tTest(values, margin).less;
