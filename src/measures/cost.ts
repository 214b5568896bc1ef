/** @file Counts the exits where samples stop, and computes their mean cost. A stop is an exit's
 *  index. A cost fraction is an exit's cumulative multiply-accumulates divided by those of the full
 *  network. */

/** Number of samples that stop at each of `exits` exits. */
export function exitHistogram(stops: Int32Array, exits: number): number[] {
  const counts = new Array<number>(exits).fill(0);
  for (const stop of stops) {
    if (!(stop >= 0 && stop < exits)) throw new Error(`bug: a sample stops at exit ${stop} of ${exits}`);
    counts[stop]++;
  }
  return counts;
}

/** Mean cost of the samples, as a share of the full network's cost. 0 without samples. */
export function meanCostFraction(stops: Int32Array, costFractions: readonly number[]): number {
  let sum = 0;
  for (const stop of stops) sum += costFractions[stop];
  return stops.length === 0 ? 0 : sum / stops.length;
}
