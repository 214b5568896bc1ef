/** @file What the gates of a network did on some samples: blocks that ran, differences between
 *  classes, the variety of paths. A bit is 1 for an open gate, 0 for a closed one, and undefined
 *  for a gate behind the exit where the work stopped. Sources: Veit and Belongie, ECCV 2018 (open
 *  rates by class); Wu et al., BlockDrop, CVPR 2018 (number of different paths). */
import { openRates } from "./cost.js";
import { percentile } from "./percentile.js";

/** The bits of one sample, one per gate. */
export type Bits = readonly (0 | 1 | undefined)[];

/** How many blocks with a gate ran. */
export interface ExecutedBlocks {
  /** Samples that ran 0, 1, 2, ... of these blocks. One entry more than there are gates. */
  readonly counts: number[];
  readonly mean: number;
  /** Standard deviation with n - 1. 0 for fewer than two samples. */
  readonly sd: number;
  /** 95th percentile. */
  readonly p95: number;
}

/** The number of open gates of each sample.
 * @example openGates([[1, 0, undefined], [1, 1, 1]]); // [1, 3] */
export const openGates = (paths: readonly Bits[]): number[] =>
  paths.map((bits) => bits.filter((bit) => bit === 1).length);

/** Histogram, mean and spread of the blocks that ran.
 * @param paths at least one sample
 * @param gates number of gates */
export function executedBlocks(paths: readonly Bits[], gates: number): ExecutedBlocks {
  const open = openGates(paths);
  const counts = new Array<number>(gates + 1).fill(0);
  for (const count of open) counts[count]++;
  const mean = open.reduce((sum, count) => sum + count, 0) / open.length;
  const squares = open.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  const sd = open.length < 2 ? 0 : Math.sqrt(squares / (open.length - 1));
  return { counts, mean, sd, p95: percentile(open, 95) };
}

/** What the gates did on the samples of one class. */
export interface ClassGates {
  /** The true class. */
  readonly label: number;
  readonly samples: number;
  /** As {@link openRates}. */
  readonly openRates: (number | null)[];
  /** Mean number of blocks with a gate that ran. */
  readonly meanBlocks: number;
}

/** The open rates of every gate for each class that occurs, by rising label.
 * @param labels true class per sample */
export function gatesByClass(paths: readonly Bits[], labels: ArrayLike<number>): ClassGates[] {
  const found = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  return found.map((label) => {
    const own = paths.filter((_, i) => labels[i] === label);
    const open = openGates(own).reduce((sum, count) => sum + count, 0);
    return { label, samples: own.length, openRates: openRates(own), meanBlocks: open / own.length };
  });
}

/** The share of samples between which the rate of a dynamic gate lies. */
export const DYNAMIC_RATES = [0.02, 0.98] as const;

/** Whether a gate decides: its open rate lies strictly between both numbers of
 * {@link DYNAMIC_RATES}. A gate that no sample meets does not. */
export const isDynamic = (rate: number | null): boolean =>
  rate !== null && rate > DYNAMIC_RATES[0] && rate < DYNAMIC_RATES[1];

/** The share of gates that decide. A network whose gates are open or closed for nearly all samples
 * is a static network of fewer blocks.
 * @param rates open rates, at least one */
export const dynamicShare = (rates: readonly (number | null)[]): number =>
  rates.filter(isDynamic).length / rates.length;

/** Shannon entropy of the paths, in bits: 0 when all samples take one path, log2(n) when no two of
 * n samples take the same one.
 * @param paths one text per sample, the same for the same path
 * @example pathEntropy(["a", "a", "b", "b"]); // 1 */
export function pathEntropy(paths: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / paths.length);
  // Minus zero would be a number of its own in JSON.
  return Math.max(0, -shares.reduce((sum, share) => sum + share * Math.log2(share), 0));
}
