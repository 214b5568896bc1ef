/** @file An audit with several seeds: how the results of its attacks spread over the draws of the
 *  attacks. The policy and the samples stay those of the first seed. */
import { spreadOver } from "../../measures/spread.js";
import type { AttackRecord } from "../../schema/audit-record.js";
import type { RunStore } from "./run-store.js";

/** The seeds of an audit: the first one and those after it. */
export const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** The attacks of the first seed, with the spread over all seeds.
 * @param runs the attacks of each seed, in the same order */
export function withSpread(seeds: readonly number[], runs: readonly (readonly AttackRecord[])[]): AttackRecord[] {
  const [first] = runs;
  if (runs.length === 1) return [...first];
  return first.map((attack, i) => ({
    ...attack,
    seeds: spreadOf(
      seeds,
      runs.map((run) => run[i]),
    ),
  }));
}

function spreadOf(seeds: readonly number[], runs: readonly AttackRecord[]): NonNullable<AttackRecord["seeds"]> {
  const over = (of: (run: AttackRecord) => number) => spreadOver(runs.map(of), [0, 1]);
  return {
    seeds: [...seeds],
    robustAccuracy: over((run) => run.robustAccuracy.value),
    successRate: over((run) => run.successRate.value),
    success8bit: over((run) => run.success8bit.value),
    routedAccuracy: over((run) => run.routed.accuracy),
    meanCostFraction: over((run) => run.routed.meanCostFraction),
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
  };
}

/** The name under which the run of a seed is kept. */
export const nameOfSeed = (name: string, seed: number, first: number): string =>
  seed === first ? name : `${name} seed ${seed}`;

/** A store that keeps the runs of a later seed apart from those of the first. */
export const storeOfSeed = (store: RunStore, seed: number, first: number): RunStore => {
  const named = (name: string) => nameOfSeed(name, seed, first);
  return {
    load: (name, fingerprint) => store.load(named(name), fingerprint),
    loadParts: (name, fingerprint) => store.loadParts(named(name), fingerprint),
    savePart: (name, fingerprint, part) => store.savePart(named(name), fingerprint, part),
    save: (name, fingerprint, run) => store.save(named(name), fingerprint, run),
  };
};
