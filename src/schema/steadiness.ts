/** @file How steady a machine was while it was timed: a busy one gives times that say little. */
import { z } from "zod";

/** Rounds that differ by more than this factor are not to be trusted. */
export const MOST_SPREAD = 1.5;

export const steadinessSchema = z.object({
  roundSpread: z
    .number()
    .min(1)
    .describe("time of a slow round (90th percentile) over that of a fast one (10th), of what differed most"),
  trusted: z.boolean().describe(`whether that is at most ${MOST_SPREAD}`),
  warning: z.string().optional().describe("what to do, where times are not to be trusted"),
});

/** How steady the machine was. */
export type Steadiness = z.infer<typeof steadinessSchema>;

/** How much rounds of the same work differ: the 90th percentile of their times over the 10th, by
 * nearest rank. With fewer than ten rounds that is the slowest over the fastest.
 * @returns undefined for fewer than two rounds, or times that are not above 0 */
export function roundSpreadOf(times: readonly number[]): number | undefined {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1];
  return sorted.length < 2 || !(sorted[0] > 0) ? undefined : at(0.9) / at(0.1);
}

/** What a spread means.
 * @param roundSpread undefined: not known */
export function steadinessOf(roundSpread: number | undefined): Steadiness | undefined {
  if (roundSpread === undefined) return undefined;
  if (roundSpread <= MOST_SPREAD) return { roundSpread, trusted: true };
  return {
    roundSpread,
    trusted: false,
    warning: `The machine was busy: slow rounds took ${roundSpread.toFixed(1)} times as long as fast ones. These times are not to be trusted. End other programs, use fewer threads than there are cores, and measure again.`,
  };
}
