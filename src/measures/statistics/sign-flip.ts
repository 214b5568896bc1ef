/** @file The sign-flip permutation test of a mean. Without an effect, the difference of a block is
 *  as likely to have one sign as the other. So all sign patterns are equally likely. With k blocks
 *  the smallest two-sided p value is 2 / 2^k. Source: Fisher, The Design of Experiments, 1935;
 *  sampled form: Phipson and Smyth, SAGMB 9(1), 2010. */
import { uniform } from "../../core/rng.js";
import { requireValues } from "./sample.js";

/** Up to this number of values every pattern is counted. */
const EXACT_LIMIT = 20;

export interface SignFlip {
  /** Two-sided p value. */
  readonly p: number;
  /** One-sided p value of a mean above 0. */
  readonly greater: number;
  /** One-sided p value of a mean below 0. */
  readonly less: number;
  /** Number of sign patterns that were compared: all 2^k, or the draws. */
  readonly patterns: number;
  /** Whether all patterns were counted. */
  readonly exact: boolean;
}

export interface SignFlipOptions {
  /** Seed of the sampled form. 0 by default. */
  readonly seed?: number;
  /** Patterns that the sampled form draws. 100 000 by default. */
  readonly draws?: number;
}

/** Tests whether the mean of `values` is 0. Up to 20 values it counts all patterns, else it draws.
 * @throws DynnError `statistics/value` for no number or one that is not finite
 * @example signFlip([1, 2, 3]).p // 0.25 */
export function signFlip(values: ArrayLike<number>, { seed = 0, draws = 100_000 }: SignFlipOptions = {}): SignFlip {
  requireValues("signFlip", values, 1);
  const sizes = Array.from(values, Math.abs);
  const sum = Array.from(values).reduce((a, b) => a + b, 0);
  // Sums of the same numbers in another order differ by rounding, and must count as equal.
  const near = 1e-12 * sizes.reduce((a, b) => a + b, 0);
  if (sizes.length <= EXACT_LIMIT) return exactFlips(sizes, sum, near);
  return sampledFlips(sizes, sum, near, { seed, draws });
}

/** The sums of both halves are sorted, so that each count is one walk over both. */
function exactFlips(sizes: readonly number[], sum: number, near: number): SignFlip {
  const half = sizes.length >> 1;
  const [first, second] = [sortedSums(sizes.slice(0, half)), sortedSums(sizes.slice(half))];
  const patterns = 2 ** sizes.length;
  // The distribution is symmetric, so a lower tail is the upper tail of the other sign.
  const tail = (least: number): number => pairsAtLeast(first, second, least - near) / patterns;
  const p = Math.abs(sum) <= near ? 1 : Math.min(1, 2 * tail(Math.abs(sum)));
  return { p, greater: tail(sum), less: tail(-sum), patterns, exact: true };
}

/** All sums of +-sizes, in ascending order. */
function sortedSums(sizes: readonly number[]): Float64Array {
  const sums = new Float64Array(2 ** sizes.length);
  for (const [bit, size] of sizes.entries())
    for (let i = 0; i < sums.length; i++) sums[i] += (i >> bit) & 1 ? size : -size;
  return sums.sort();
}

/** Number of pairs whose sum is at least `least`. */
function pairsAtLeast(first: Float64Array, second: Float64Array, least: number): number {
  let [from, count] = [second.length, 0];
  for (let i = 0; i < first.length; i++) {
    while (from > 0 && first[i] + second[from - 1] >= least) from--;
    count += second.length - from;
  }
  return count;
}

/** The observed pattern counts as one more draw, so that no p value is 0. */
function sampledFlips(
  sizes: readonly number[],
  sum: number,
  near: number,
  { seed, draws }: Required<SignFlipOptions>,
): SignFlip {
  let [above, below, beyond] = [1, 1, 1];
  for (let draw = 0; draw < draws; draw++) {
    const signs = uniform({ seed, sample: draw, purpose: "resample", step: 0 }, sizes.length);
    const drawn = sizes.reduce((total, size, i) => total + (signs[i] < 0.5 ? size : -size), 0);
    if (drawn >= sum - near) above++;
    if (drawn <= sum + near) below++;
    if (Math.abs(drawn) >= Math.abs(sum) - near) beyond++;
  }
  const share = (hits: number): number => hits / (draws + 1);
  return { p: share(beyond), greater: share(above), less: share(below), patterns: draws, exact: false };
}
