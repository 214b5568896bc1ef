/** @file A mean with its 95 % interval by the central limit theorem: mean +- 1.96 standard errors,
 *  limited to the possible values. It is used for mean costs. A sample's cost has one of a few
 *  values, so the interval is right for hundreds of samples, and too short for few. */
import { Z95 } from "./wilson.js";

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** @param possible smallest and largest possible value. They are the interval of fewer than two
 *  values */
export function meanInterval(values: readonly number[], possible: readonly [number, number]): Interval {
  const [least, most] = possible;
  const n = values.length;
  // The rounded mean of equal values can leave them by one unit in the last place.
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const value = n === 0 ? 0 : Math.min(most, Math.max(least, mean));
  if (n < 2) return { value, low: least, high: most };
  const variance = values.reduce((sum, v) => sum + (v - value) ** 2, 0) / (n - 1);
  const half = Z95 * Math.sqrt(variance / n);
  return {
    value,
    low: Math.min(value, Math.max(least, value - half)),
    high: Math.max(value, Math.min(most, value + half)),
  };
}
