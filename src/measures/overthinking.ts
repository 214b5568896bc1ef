/** @file Overthinking: work done after the answer was already right; underthinking: work that was
 *  not done. Sources: Kaya, Hong, Dumitras, "Shallow-Deep Networks: Understanding and Mitigating
 *  Network Overthinking", ICML 2019 (the wasteful and the destructive effect); Mehra, Seto, Jaitly,
 *  Theobald, "Understanding the Robustness of Multi-Exit Models under Common Corruptions", 2022
 *  (underthinking). */

export interface Overthinking {
  /** Share of samples that are right at the taken exit and at an earlier one. The work in between
   * was wasted. */
  readonly wasteful: number;
  /** Share of samples that are right at some exit and wrong at the final exit. The work in between
   * did harm. */
  readonly destructive: number;
}

/** Both shares of all samples. They are 0 without samples.
 * @param correctPerExit [exits][n], 1 where that exit's label is right
 * @param stop [n], the taken exit of each sample */
export function overthinking(correctPerExit: readonly Uint8Array[], stop: Int32Array): Overthinking {
  let [wasteful, destructive] = [0, 0];
  const final = correctPerExit[correctPerExit.length - 1];
  for (const [sample, taken] of stop.entries()) {
    const firstRight = correctPerExit.findIndex((correct) => correct[sample] === 1);
    if (firstRight < 0) continue;
    if (firstRight < taken && correctPerExit[taken][sample] === 1) wasteful++;
    if (final[sample] === 0) destructive++;
  }
  const n = Math.max(1, stop.length);
  return { wasteful: wasteful / n, destructive: destructive / n };
}

/** Share of samples whose routed answer is wrong, because the work stopped before the final exit,
 * which is right. It is 0 without samples.
 * @param correctPerExit [exits][n], 1 where that exit's label is right
 * @param stop [n], the exit where the work on each sample stops
 * @example underthinking([Uint8Array.of(0), Uint8Array.of(1)], Int32Array.of(0)); // 1 */
export function underthinking(correctPerExit: readonly Uint8Array[], stop: Int32Array): number {
  const final = correctPerExit.length - 1;
  const early = stop.filter((taken, i) => correctPerExit[taken][i] === 0 && correctPerExit[final][i] === 1);
  return early.length / Math.max(1, stop.length);
}
