/** @file Percentiles of a sample, for latencies. Linear interpolation between order statistics,
 *  type 7 of Hyndman and Fan, The American Statistician 50(4), 1996 (the default of R and
 *  NumPy). */
import { counted } from "../core/units.js";

/** The `percent`-th percentile (50 is the median) of at least one number, in any order. The input
 * does not change. Infinity is the largest value. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  if (values.length === 0 || !(percent >= 0 && percent <= 100))
    throw new Error(`bug: percentile ${percent} of ${counted(values.length, "value")}`);
  const sorted = Float64Array.from(values).sort();
  const position = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  // Infinity minus infinity is not a number.
  if (sorted[below] === sorted[above]) return sorted[below];
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** The three percentiles of a latency. */
export const percentiles = (values: ArrayLike<number>): Percentiles => ({
  p50: percentile(values, 50),
  p95: percentile(values, 95),
  p99: percentile(values, 99),
});
