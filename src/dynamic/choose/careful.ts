/** @file Chooses one threshold so that a loss of accuracy is kept not only on the records at hand,
 *  but probably also on others. Thresholds are tested from the strictest to the loosest, each
 *  against the loss that is allowed, and the first that may break it ends the search. With a fixed
 *  order, the whole search errs as seldom as one test. Source: Angelopoulos et al., "Learn then
 *  test", 2021, section 3.1 (fixed sequence testing). */
import { NEVER_FIRES, type Policy, uniformPolicy } from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { RULE_DEFS } from "../route/policy.js";
import { type CalibrationRequest, check, operatingPoints } from "./calibrate.js";
import { type Measured, type Readings, readExits, scoreOf } from "./readings.js";

/** A target that limits the loss of accuracy. */
export type LossTarget = Extract<CalibrationTarget, { readonly kind: "rad" | "drop" }>;

/** The request of {@link chooseCarefully}. The fallback is final. */
export type CarefulRequest = Omit<CalibrationRequest, "target" | "thresholds" | "worstCase" | "gateCosts"> & {
  readonly target: LossTarget;
};

/** The probability that the loss is kept on other records of the same kind. */
export const CONFIDENCE = 0.9;
/** Its quantile of the normal distribution, one-sided. */
const Z = 1.2815515655446004;

/** The cheapest uniform threshold whose loss of accuracy is within the target with a probability of
 * {@link CONFIDENCE}. The threshold at which no exit fires loses nothing and is always allowed.
 * @throws DynnError 'policy/validation' when the split is empty */
export function chooseCarefully(validation: Measured, request: CarefulRequest): Policy {
  check(validation, { ...request, thresholds: "uniform" });
  const { rule, fallback, costs, temperatures, target } = request;
  const never = uniformPolicy(rule, fallback, NEVER_FIRES[rule], costs.length);
  const readings = readExits(validation, request);
  const strictFirst = operatingPoints(validation, request)
    .filter(({ thresholds }) => thresholds[0] !== NEVER_FIRES[rule])
    .sort((a, b) => RULE_DEFS[rule].rank(b.thresholds[0]) - RULE_DEFS[rule].rank(a.thresholds[0]));
  let chosen = { thresholds: never.thresholds, cost: costs.at(-1) as number };
  for (const point of strictFirst) {
    if (!isSafe(compared(readings, scoreOf(rule, point.thresholds[0])), target)) break;
    if (point.cost < chosen.cost) chosen = point;
  }
  return { rule, fallback, thresholds: chosen.thresholds, ...(temperatures ? { temperatures } : {}) };
}

/** How many records the final exit and the routed answer get right. */
export interface Compared {
  readonly both: number;
  readonly onlyFinal: number;
  readonly onlyRouted: number;
  readonly neither: number;
}

/** The answers of one threshold beside those of the final exit. */
function compared({ count, scores, right }: Readings, bar: number): Compared {
  const cells = [0, 0, 0, 0];
  const final = right[right.length - 1];
  for (let i = 0; i < count; i++) {
    const stop = scores.findIndex((own) => own[i] >= bar);
    const routed = stop < 0 ? final[i] : right[stop][i];
    cells[2 * final[i] + routed]++;
  }
  return { both: cells[3], onlyFinal: cells[2], onlyRouted: cells[1], neither: cells[0] };
}

/** Whether the mean of what is kept beyond the target is above 0 with {@link CONFIDENCE}. Half a
 * record is added to both kinds of disagreement, so that none among few records is not taken for
 * none at all (Agresti & Min 2005). */
export function isSafe(cells: Compared, target: LossTarget): boolean {
  const [kept, allowed] = target.kind === "rad" ? [1 - target.loss, 0] : [1, target.points];
  const rows = [
    { count: cells.both, value: 1 - kept + allowed },
    { count: cells.onlyFinal + 0.5, value: allowed - kept },
    { count: cells.onlyRouted + 0.5, value: 1 + allowed },
    { count: cells.neither, value: allowed },
  ];
  const n = rows.reduce((sum, { count }) => sum + count, 0);
  const mean = rows.reduce((sum, { count, value }) => sum + count * value, 0) / n;
  const variance = rows.reduce((sum, { count, value }) => sum + count * (value - mean) ** 2, 0) / n;
  return mean - Z * Math.sqrt(variance / n) >= 0;
}
