/** @file Page's test of a trend over ordered conditions that every block went through. Source:
 *  Page, JASA 58, 1963. */
import { normalTail } from "./distributions.js";
import { midRanks } from "./ranks.js";
import { requireEqual, requireValues, statisticsError } from "./sample.js";

export interface PageTest {
  /** Sum over conditions of place times sum of ranks. */
  readonly L: number;
  /** One-sided p value of a rise, from all orders of the ranks within blocks. Ties are exact. */
  readonly exact: number;
  /** One-sided p value of the normal approximation. */
  readonly normal: number;
}

/** Most conditions: all orders of a block are counted. */
const MOST = 8;

/** Tests for a rise along the conditions.
 * @param blocks [blocks][conditions], at least one block and 2 to 8 conditions
 * @throws DynnError `statistics/value` for rows of different lengths or other sizes
 * @example pageTrend([[1, 2, 3], [1, 3, 2]]).L // 27 */
export function pageTrend(blocks: readonly (readonly number[])[]): PageTest {
  const n = blocks.length;
  const k = blocks[0]?.length ?? 0;
  if (!(k >= 2 && k <= MOST))
    throw statisticsError("pageTrend", "the conditions cannot be counted", `${k}`, `2 to ${MOST}`);
  for (const block of blocks) {
    requireValues("pageTrend", block, k);
    requireEqual("pageTrend", block, blocks[0]);
  }
  // Mid-ranks are halves, so that twice a score is a whole number.
  const ranks = blocks.map((block) => midRanks(block).map((rank) => 2 * rank));
  const doubled = ranks.reduce((sum, row) => sum + score(row), 0);
  const L = doubled / 2;
  const mean = (n * k * (k + 1) ** 2) / 4;
  const variance = (n * k ** 2 * (k + 1) ** 2 * (k - 1)) / 144;
  return { L, exact: upperChance(ranks, doubled), normal: normalTail((L - mean) / Math.sqrt(variance)) };
}

const score = (ranks: readonly number[]): number => ranks.reduce((sum, rank, i) => sum + (i + 1) * rank, 0);

/** Chance that scores of random orders sum to at least `least`. */
function upperChance(blocks: readonly (readonly number[])[], least: number): number {
  let chances = new Map([[0, 1]]);
  const known = new Map<string, Map<number, number>>();
  for (const block of blocks) {
    const key = [...block].sort((a, b) => a - b).join();
    if (!known.has(key)) known.set(key, scoresOf(block));
    chances = convolve(chances, known.get(key) ?? new Map());
  }
  let sum = 0;
  for (const [value, chance] of chances) if (value >= least) sum += chance;
  return Math.min(1, sum);
}

/** Chance of each score over all orders of the ranks. */
function scoresOf(ranks: readonly number[]): Map<number, number> {
  const chances = new Map<number, number>();
  const place = (rest: readonly number[], sum: number, chance: number): void => {
    if (rest.length === 0) chances.set(sum, (chances.get(sum) ?? 0) + chance);
    for (const [i, rank] of rest.entries())
      place(rest.toSpliced(i, 1), sum + rank * (ranks.length - rest.length + 1), chance / rest.length);
  };
  place(ranks, 0, 1);
  return chances;
}

function convolve(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Map<number, number> {
  const out = new Map<number, number>();
  for (const [x, p] of a) for (const [y, q] of b) out.set(x + y, (out.get(x + y) ?? 0) + p * q);
  return out;
}
