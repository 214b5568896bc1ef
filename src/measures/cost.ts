/** @file Where the work stops and what it costs.
 *  A stop is an exit's index; a cost fraction is an exit's cumulative multiply-accumulates over the full network's.
 *  Read by: studies. */

/** Samples whose work stops at each of `exits` exits. */
export function exitHistogram(stops: Int32Array, exits: number): number[] {
  const counts = new Array<number>(exits).fill(0);
  for (const stop of stops) {
    if (!(stop >= 0 && stop < exits)) throw new Error(`bug: a sample stops at exit ${stop} of ${exits}`);
    counts[stop]++;
  }
  return counts;
}

/** Mean share of the full network's cost that the samples pay; 0 without samples. */
export function meanCostFraction(stops: Int32Array, costFractions: readonly number[]): number {
  let sum = 0;
  for (const stop of stops) sum += costFractions[stop];
  return stops.length === 0 ? 0 : sum / stops.length;
}
