/** @file One endpoint of a claim: its effect, test, equivalence and power. */
import { hierarchicalBootstrap } from "../../../measures/statistics/bootstrap.js";
import { tTail } from "../../../measures/statistics/distributions.js";
import { powerOverBlocks } from "../../../measures/statistics/power.js";
import type { ClaimsPlan, Endpoint, EndpointRecord } from "../../../schema/study/claims.js";
import { formulasOf } from "./block-values.js";
import type { Effect } from "./contract.js";
import { effectOf } from "./effect.js";
import type { BlockTable, ClaimData } from "./table.js";

/** Distance of a value from the reference, positive on the claimed side. */
export const towards = ({ direction, reference }: Pick<Endpoint, "direction" | "reference">, value: number): number =>
  direction === "greater" ? value - reference : reference - value;

/** Computes all numbers of an endpoint.
 * @param tests number of confirmatory tests, over which Holm's first step divides alpha
 * @throws DynnError `claims/data` for tables that do not fit */
export function judgeEndpoint(endpoint: Endpoint, data: ClaimData, plan: ClaimsPlan, tests: number): EndpointRecord {
  const { df, sideP, ...effect } = effectOf(endpoint.estimate, data.blocks, plan);
  const { name, scale, direction, reference, smallest } = endpoint;
  return {
    ...effect,
    name,
    scale,
    direction,
    reference,
    smallest,
    bootstrap: bootstrap(endpoint, data.blocks, plan),
    p: pValue(endpoint, sideP),
    tTest: pValue(endpoint, (side, from) => tSide((side * (effect.effect - from)) / (effect.error ?? 0), df)),
    cells: effect.cells.map((cell) => ({ ...cell, agrees: towards(endpoint, cell.value) > 0 })),
    equivalence: equivalence(endpoint, effect.effect, effect.error, df),
    power: power(endpoint, effect.error, data.blocks.length, { alpha: plan.alpha / tests, draws: plan.powerDraws }),
  };
}

/** A regression has no number per block that could be drawn. */
function bootstrap(
  { estimate }: Endpoint,
  blocks: readonly BlockTable[],
  { draws, seed, level }: ClaimsPlan,
): EndpointRecord["bootstrap"] {
  if (estimate.kind === "regression") return null;
  const { tables, formulas } = formulasOf(estimate, blocks);
  const value = (means: Float64Array, block: number): number => formulas[block](means);
  const drawn = hierarchicalBootstrap(tables, { value, draws, seed, level });
  return { percentile: [...drawn.percentile], bca: [...drawn.bca], draws };
}

/** One-sided p value of t. Without an error there is a test only where the effect is certain. */
const tSide = (t: number, df: number): number | null => (df > 0 ? tTail(t || 0, df) : null);

/** The p value on the claimed side, or twice the smaller one of both sides. */
function pValue({ direction, reference, sides }: Endpoint, sideP: Effect["sideP"]): number | null {
  const side = direction === "greater" ? 1 : -1;
  const [claimed, other] = [sideP(side, reference), sideP(side === 1 ? -1 : 1, reference)];
  if (claimed === null || other === null) return null;
  return sides === 1 ? claimed : Math.min(1, 2 * Math.min(claimed, other));
}

/** TOST around the reference, with the t distribution of the effect's error. */
function equivalence(
  { reference, smallest }: Endpoint,
  effect: number,
  error: number | null,
  df: number,
): number | null {
  if (error === null || smallest === 0) return null;
  const distance = Math.abs(effect - reference);
  // The farther margin never decides.
  if (error === 0) return distance < smallest ? 0 : 1;
  return tTail((smallest - distance) / error, df);
}

/** Power for the smallest effect, or for no change at all against a margin. */
function power(
  { estimate, reference, smallest, sides }: Endpoint,
  error: number | null,
  blocks: number,
  { alpha, draws }: { alpha: number; draws: number },
): number | null {
  if (error === null) return null;
  const effect = smallest || Math.abs(reference);
  // A one-sided test at alpha is one side of a two-sided test at twice alpha.
  const level = sides === 1 ? 2 * alpha : alpha;
  const found = powerOverBlocks({ blocks, effect, spread: error * Math.sqrt(blocks), alpha: level, draws });
  return estimate.kind === "regression" ? found.t : found.signFlip;
}
