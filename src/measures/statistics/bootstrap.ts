/** @file The hierarchical paired bootstrap: a draw takes blocks with replacement, and then samples
 *  within each block taken. A sample brings its values under all conditions, so pairs stay pairs.
 *  Sources: Davison and Hinkley, Bootstrap Methods and Their Application, 1997, section 3.8; BCa
 *  interval: Efron, JASA 82, 1987. */
import { normalCdf, normalQuantile } from "./distributions.js";
import { FastRandom } from "./fast-random.js";
import { meanOf, statisticsError } from "./sample.js";

/** The samples of one block under all conditions: [conditions][samples]. */
export type PairedBlock = readonly ArrayLike<number>[];

export interface BootstrapOptions {
  /** The number of a block, from the mean of each condition and the block's index. */
  readonly value: (means: Float64Array, block: number) => number;
  /** 10 000 by default. */
  readonly draws?: number;
  /** 0 by default. */
  readonly seed?: number;
  /** Level of the intervals, 0.95 by default. */
  readonly level?: number;
}

export interface Bootstrap {
  /** Mean over blocks of the number of a block. */
  readonly value: number;
  readonly percentile: readonly [number, number];
  /** Bias-corrected and accelerated, with the jackknife over blocks. */
  readonly bca: readonly [number, number];
  /** Standard deviation of the draws. */
  readonly error: number;
  readonly draws: number;
}

/** Bootstraps the mean over blocks of `value`.
 * @param blocks at least one, each with at least one sample and the same number of conditions
 * @throws DynnError `statistics/value` for no block, no sample, or conditions of different lengths
 * @example hierarchicalBootstrap([[[1, 0, 1], [0, 0, 1]]], { value: ([a, b]) => a - b }) */
export function hierarchicalBootstrap(
  blocks: readonly PairedBlock[],
  { value, draws = 10_000, seed = 0, level = 0.95 }: BootstrapOptions,
): Bootstrap {
  check(blocks);
  const packed = blocks.map(pack);
  const values = packed.map((block, i) => value(block.means, i));
  const estimate = meanOf(values);
  const drawn = new Float64Array(draws);
  const random = new FastRandom();
  for (let draw = 0; draw < draws; draw++) {
    random.start({ seed, sample: draw, purpose: "resample", step: 1 });
    drawn[draw] = drawOnce(packed, value, random);
  }
  const sorted = drawn.slice().sort();
  const side = (1 - level) / 2;
  const [low, high] = bcaLevels(sorted, estimate, acceleration(values), side);
  return {
    value: estimate,
    percentile: [at(sorted, side), at(sorted, 1 - side)],
    bca: [at(sorted, low), at(sorted, high)],
    error: spread(drawn),
    draws,
  };
}

/** The acceleration of BCa: skewness of the jackknife means over 6.
 * @example acceleration([3, 3, 3]) // 0 */
export function acceleration(values: readonly number[]): number {
  // Leaving a value out moves the mean by its distance from it, times a constant that cancels.
  const mean = meanOf(values);
  let [squares, cubes] = [0, 0];
  for (const value of values) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
}

/** A block with the space for the indices of one draw. */
interface Packed {
  readonly columns: readonly Float64Array[];
  readonly means: Float64Array;
  readonly indices: Int32Array;
}

const pack = (block: PairedBlock): Packed => ({
  columns: block.map((column) => Float64Array.from(column)),
  means: Float64Array.from(block, meanOf),
  indices: new Int32Array(block[0].length),
});

function drawOnce(blocks: readonly Packed[], value: BootstrapOptions["value"], random: FastRandom): number {
  const taken = new Int32Array(blocks.length);
  random.fill(taken, blocks.length);
  const means = new Float64Array(blocks[0].means.length);
  let sum = 0;
  for (const block of taken) {
    resample(blocks[block], random, means);
    sum += value(means, block);
  }
  return sum / blocks.length;
}

/** Writes the means of a block's resampled samples. */
function resample({ columns, indices }: Packed, random: FastRandom, means: Float64Array): void {
  random.fill(indices, indices.length);
  for (const [c, column] of columns.entries()) {
    let sum = 0;
    for (let i = 0; i < indices.length; i++) sum += column[indices[i]];
    means[c] = sum / indices.length;
  }
}

/** The shares of draws at which the BCa interval ends. */
function bcaLevels(sorted: Float64Array, estimate: number, a: number, side: number): [number, number] {
  const bias = normalQuantile(shareBelow(sorted, estimate));
  // Draws that all lie on one side have no bias that can be corrected.
  if (!Number.isFinite(bias)) return [side, 1 - side];
  const level = (z: number): number => normalCdf(bias + (bias + z) / (1 - a * (bias + z)));
  return [level(normalQuantile(side)), level(normalQuantile(1 - side))];
}

/** Share of draws below the estimate. Equal draws count half. */
function shareBelow(sorted: Float64Array, estimate: number): number {
  const near = 1e-12 * Math.abs(estimate);
  let count = 0;
  for (const value of sorted) count += value < estimate - near ? 1 : value <= estimate + near ? 0.5 : 0;
  return count / sorted.length;
}

/** The quantile of sorted draws, interpolated between (draws + 1) shares as R's boot does. */
function at(sorted: Float64Array, share: number): number {
  const place = Math.min(sorted.length, Math.max(1, share * (sorted.length + 1)));
  const below = Math.floor(place);
  const [low, high] = [sorted[below - 1], sorted[Math.min(sorted.length, below + 1) - 1]];
  return low + (place - below) * (high - low);
}

function spread(values: Float64Array): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}

function check(blocks: readonly PairedBlock[]): void {
  const conditions = blocks[0]?.length ?? 0;
  const wrong = blocks.findIndex(
    (block) => block.length !== conditions || block.some(({ length }) => length === 0 || length !== block[0].length),
  );
  if (conditions === 0 || wrong >= 0)
    throw statisticsError(
      "hierarchicalBootstrap",
      "the blocks do not fit",
      conditions === 0 ? "no block or no condition" : `block ${wrong} with conditions of other lengths`,
      "blocks of equal conditions, each [conditions][samples]",
    );
}
