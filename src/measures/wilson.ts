/** @file The Wilson score interval of a rate, without continuity correction. Source: Wilson,
 *  "Probable inference, the law of succession, and statistical inference", JASA 22, 1927; method 3
 *  of Newcombe, Statistics in Medicine 17, 1998. */
import type { Rate } from "../schema/numbers.js";

/** The 97.5 % point of the standard normal distribution: two-sided 95 %. */
export const Z95 = 1.959963984540054;

/** A rate and its score interval.
 * @param successes whole number from 0 to n
 * @param n number of trials. For 0, the interval is all of [0,1]
 * @param z normal quantile of the two-sided level, 95 % by default */
export function wilson(successes: number, n: number, z = Z95): Rate {
  if (!(successes >= 0 && successes <= n)) throw new Error(`bug: wilson of ${successes} successes in ${n} trials`);
  if (n === 0) return { value: 0, low: 0, high: 1 };
  const value = successes / n;
  const scale = 1 + z ** 2 / n;
  const middle = (value + z ** 2 / (2 * n)) / scale;
  const half = (z * Math.sqrt((value * (1 - value)) / n + (z / (2 * n)) ** 2)) / scale;
  // At 0 and n, one end is exactly 0 or 1, because rounding must not put the rate outside its
  // interval.
  return { value, low: successes === 0 ? 0 : middle - half, high: successes === n ? 1 : middle + half };
}
