/** @file The exact interval of a rate. It never covers less than its level, so it is wider than the
 *  Wilson interval. Source: Clopper and Pearson, Biometrika 26, 1934. */
import type { Rate } from "../../schema/numbers.js";
import { betaQuantile } from "./distributions.js";
import { statisticsError } from "./sample.js";

/** A rate and its exact interval.
 * @param successes whole number from 0 to n
 * @param n number of trials, at least 1
 * @param level confidence level, 0.95 by default
 * @throws DynnError `statistics/value` for other counts
 * @example clopperPearson(0, 10) // { value: 0, low: 0, high: 0.3085 } */
export function clopperPearson(successes: number, n: number, level = 0.95): Rate {
  if (!(successes >= 0 && successes <= n && n > 0))
    throw statisticsError(
      "clopperPearson",
      "the counts do not fit",
      `${successes} in ${n}`,
      "0 <= successes <= n, n > 0",
    );
  const side = (1 - level) / 2;
  return {
    value: successes / n,
    low: successes === 0 ? 0 : betaQuantile(side, successes, n - successes + 1),
    high: successes === n ? 1 : betaQuantile(1 - side, successes + 1, n - successes),
  };
}
