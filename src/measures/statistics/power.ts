/** @file Power by simulation: how often a test over blocks finds an effect of a given size. The
 *  difference of a block is the effect, plus the spread between blocks, plus the noise of its
 *  samples. */

import { normal } from "../../core/rng.js";
import { counted } from "../../core/units.js";
import { statisticsError } from "./sample.js";
import { signFlip } from "./sign-flip.js";
import { tTest } from "./t-test.js";

export interface PowerQuestion {
  readonly blocks: number;
  /** True mean difference. */
  readonly effect: number;
  /** Standard deviation of the true differences of blocks, in the unit of the effect. */
  readonly spread: number;
  /** Samples per block. */
  readonly samples?: number;
  /** Variance of one sample's difference. For two rates it is about the share of discordant
   * samples. Without it, the samples add no noise. */
  readonly sampleVariance?: number;
  /** Two-sided level, 0.05 by default. */
  readonly alpha?: number;
  /** 2000 by default. */
  readonly draws?: number;
  /** 0 by default. */
  readonly seed?: number;
}

export interface Power {
  /** Share of simulated studies in which the sign-flip test finds the effect on its true side. */
  readonly signFlip: number;
  /** The same for the t test. */
  readonly t: number;
  /** Largest standard error of both shares. */
  readonly error: number;
  readonly draws: number;
}

/** Power of the two-sided sign-flip and t tests.
 * @throws DynnError `statistics/value` for fewer than two blocks or a spread below 0
 * @example powerOverBlocks({ blocks: 18, effect: 0.047, spread: 0.05 }).t > 0.9 // true */
export function powerOverBlocks(question: PowerQuestion): Power {
  const { blocks, effect, spread, alpha = 0.05, draws = 2000, seed = 0 } = question;
  if (!(blocks >= 2 && spread >= 0))
    throw statisticsError(
      "powerOverBlocks",
      "the plan does not fit",
      `${counted(blocks, "block")}, spread ${spread}`,
      "2, 0 or more",
    );
  const deviation = Math.sqrt(spread ** 2 + (question.sampleVariance ?? 0) / (question.samples ?? 1));
  let [flips, ts] = [0, 0];
  for (let draw = 0; draw < draws; draw++) {
    const noise = normal({ seed, sample: draw, purpose: "resample", step: 2 }, blocks);
    const values = Float64Array.from(noise, (z) => Math.abs(effect) + deviation * z);
    if (2 * signFlip(values).greater <= alpha) flips++;
    if (2 * tTest(values).greater <= alpha) ts++;
  }
  const [byFlips, byT] = [flips / draws, ts / draws];
  const error = Math.sqrt(Math.max(byFlips * (1 - byFlips), byT * (1 - byT)) / draws);
  return { signFlip: byFlips, t: byT, error, draws };
}
