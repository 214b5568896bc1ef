/** @file Counts the exits where samples stop, and computes their mean cost. A stop is an exit's
 *  index. A cost fraction is the multiply-accumulates of a sample's path divided by those of the
 *  full network. */

/** Number of samples that stop at each of `exits` exits. */
export function exitHistogram(stops: Int32Array, exits: number): number[] {
  const counts = new Array<number>(exits).fill(0);
  for (const stop of stops) {
    if (!(stop >= 0 && stop < exits)) throw new Error(`bug: a sample stops at exit ${stop} of ${exits}`);
    counts[stop]++;
  }
  return counts;
}

/** Mean cost of the samples, as a share of the full network's cost. 0 without samples.
 * @param costFractions one per sample */
export const meanCostFraction = (costFractions: readonly number[]): number =>
  costFractions.length === 0 ? 0 : costFractions.reduce((sum, cost) => sum + cost, 0) / costFractions.length;

/** The costs that occur, and the number of samples of each. They are what an EEC curve needs.
 * @param costFractions one per sample
 * @param marks costs that stand in the result even without samples: those of the exits */
export function costLevels(
  costFractions: readonly number[],
  marks: readonly number[],
): { readonly counts: number[]; readonly costs: number[] } {
  const costs = [...new Set([...marks, ...costFractions])].sort((a, b) => a - b);
  const places = new Map(costs.map((cost, place) => [cost, place]));
  const counts = new Array<number>(costs.length).fill(0);
  for (const cost of costFractions) counts[places.get(cost) as number]++;
  return { counts, costs };
}

/** The share of samples in which each gate is open, among those that meet it. Null for a gate that
 * no sample meets.
 * @param paths one list of bits per sample; undefined for a gate that the sample does not meet */
export function openRates(paths: readonly (readonly (0 | 1 | undefined)[])[]): (number | null)[] {
  const gates = paths[0]?.length ?? 0;
  return Array.from({ length: gates }, (_, gate) => {
    const met = paths.map((bits) => bits[gate]).filter((bit) => bit !== undefined);
    return met.length === 0 ? null : met.filter((bit) => bit === 1).length / met.length;
  });
}
