/** @file The paired table inside one block, for conditions of yes and no. It describes one pair of
 *  networks. Claims about kinds of networks are tested over blocks. */
import { mcnemarExact, mcnemarMidP } from "../../../measures/mcnemar.js";
import { pairedDifference } from "../../../measures/statistics/paired-difference.js";
import type { EstimateForm, Pairs } from "../../../schema/study/claims.js";

/** The paired table of a difference whose columns hold 0 and 1 only. */
export function pairsOf(
  { kind }: EstimateForm,
  [of, minus]: readonly ArrayLike<number>[],
  level: number,
): Pairs | undefined {
  if (kind !== "difference" || ![of, minus].every(isBinary)) return undefined;
  const counts = { both: 0, onlyOf: 0, onlyMinus: 0, neither: 0 };
  for (let i = 0; i < of.length; i++)
    counts[of[i] ? (minus[i] ? "both" : "onlyOf") : minus[i] ? "onlyMinus" : "neither"]++;
  const { onlyOf, onlyMinus } = counts;
  const { low, high } = pairedDifference(onlyOf, onlyMinus, of.length, level);
  return {
    ...counts,
    exact: mcnemarExact(onlyOf, onlyMinus),
    midP: mcnemarMidP(onlyOf, onlyMinus),
    interval: [low, high],
  };
}

function isBinary(column: ArrayLike<number>): boolean {
  for (let i = 0; i < column.length; i++) if (column[i] !== 0 && column[i] !== 1) return false;
  return true;
}
