/** @file Summarises measurements for the record. Two networks are compared within each round. The
 *  record holds the median over the rounds and the spread. */
import { percentile, percentiles } from "../../measures/percentile.js";
import type { ProfiledPoint, Saving, Spread, Timing } from "../../schema/profile-record.js";
import type { Measurement } from "./timing.js";

type ByBatch = ReadonlyMap<number, Measurement>;

export const spreadOf = (values: readonly number[]): Spread => ({
  median: percentile(values, 50),
  low: Math.min(...values),
  high: Math.max(...values),
});

const timing = (batch: number, { perImage, requests }: Measurement): Timing => ({
  batch,
  msPerImage: spreadOf(perImage),
  ...(requests.length > 0 ? { latencyMs: { ...percentiles(requests), requests: requests.length } } : {}),
});

export const timings = (measured: ByBatch): Timing[] =>
  [...measured].map(([batch, measurement]) => timing(batch, measurement));

/** Time of another network divided by the time of this one, round by round. */
const ratio = (other: ByBatch, batch: number, { perImage }: Measurement): Spread => {
  const theirs = other.get(batch)?.perImage ?? [];
  return spreadOf(perImage.map((own, round) => theirs[round] / own));
};

/** Smallest saved share of MACs for a ratio of saved time to saved MACs. Below it, the ratio has no
 * meaning. */
const LEAST_SAVING = 0.05;

/** Times of a point, and the saved time.
 * @param macsFraction mean MACs of the point over those of the static network */
export function savings(
  measured: ByBatch,
  macsFraction: number,
  { fixed, baseline }: { readonly fixed: ByBatch; readonly baseline: ByBatch | undefined },
): ProfiledPoint["timings"] {
  return [...measured].map(([batch, measurement]): Saving => {
    const speedUp = ratio(fixed, batch, measurement);
    return {
      ...timing(batch, measurement),
      speedUp,
      overhead: 1 / (speedUp.median * macsFraction),
      realSaving: 1 - macsFraction < LEAST_SAVING ? null : (1 - 1 / speedUp.median) / (1 - macsFraction),
      ...(baseline ? { baselineSpeedUp: ratio(baseline, batch, measurement) } : {}),
    };
  });
}
