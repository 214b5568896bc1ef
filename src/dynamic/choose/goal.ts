/** @file The goal of calibration, as an order of operating points. Points that keep every limit
 *  rank first. The target ranks them further. `rad`: the smallest cost with an accuracy of at least
 *  (1 - RAD) x the final exit's accuracy. `drop`: the same with a limit in percentage points.
 *  `budget`, `latency`: the highest accuracy within a limit on the mean cost. Sources: Kaya et al.
 *  2019; Hong et al. 2021 (RAD). */
import { DynnError } from "../../core/errors.js";
import type { Rule } from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";

/** Bounds for attacked samples. Undefined means no bound. */
export interface WorstBounds {
  /** Largest mean cost, as a share of the full cost, in 0 to 1. */
  readonly maxCost?: number | undefined;
  /** Smallest share of right answers, in 0 to 1. */
  readonly minAccuracy?: number | undefined;
}

/** Accuracy and cost of some thresholds. Costs have the unit of the exits' costs. */
export interface OperatingPoint {
  /** Thresholds in the form of a policy. */
  readonly thresholds: readonly number[];
  /** Thresholds of the gates. Absent for a network without gates. */
  readonly gates?: readonly number[] | undefined;
  /** Share of right answers. */
  readonly accuracy: number;
  /** Mean cost of a sample. */
  readonly cost: number;
  /** The largest mean cost over the sets of attacked samples, as a share of the full cost.
   * Undefined without such sets. */
  readonly worstCost: number | undefined;
  /** The smallest accuracy over the same sets. Undefined without such sets. */
  readonly worstAccuracy: number | undefined;
}

export type Outcome = Omit<OperatingPoint, "thresholds" | "gates">;

export interface Goal {
  readonly target: CalibrationTarget;
  readonly finalAccuracy: number;
  /** Cost of the full network. */
  readonly fullCost: number;
  readonly bounds: WorstBounds;
}

/** A rank for outcomes. Numbers are compared one after the other, and larger is better. */
export type Merit = (outcome: Outcome) => readonly number[];

/** Tolerance for rounding when a mean meets its limit exactly. */
const SLACK = 1e-9;

export const isBetter = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, i) => Math.abs(value - b[i]) > 1e-12);
  return at >= 0 && a[at] > b[at];
};

/** First the limits, then the quantity that the target optimises, then the other one of accuracy
 * and cost. */
export const goalMerit =
  (goal: Goal): Merit =>
  (outcome) => {
    const { accuracy, cost } = outcome;
    return [-excess(goal, outcome), ...(isAccuracy(goal.target) ? [-cost, accuracy] : [accuracy, -cost])];
  };

/** Whether a target asks for the cheapest point of some accuracy. */
const isAccuracy = ({ kind }: CalibrationTarget): boolean => kind === "rad" || kind === "drop";

/** Whether a point keeps every limit. */
export const reaches = (goal: Goal, outcome: Outcome): boolean => excess(goal, outcome) === 0;

/** Whether attacked samples keep their bounds. */
export const keeps = (bounds: WorstBounds, under: Pick<Outcome, "worstCost" | "worstAccuracy">): boolean =>
  worstExcess(bounds, under) === 0;

/** How far an outcome is beyond its limits, as shares. 0 when it keeps them. */
const excess = (goal: Goal, outcome: Outcome): number =>
  targetExcess(goal, outcome) + worstExcess(goal.bounds, outcome);

const beyond = (value: number, limit: number): number => (value > limit + SLACK ? value - limit : 0);

const worstExcess = (
  { maxCost = 1, minAccuracy = 0 }: WorstBounds,
  { worstCost = 0, worstAccuracy = 1 }: Pick<Outcome, "worstCost" | "worstAccuracy">,
): number => beyond(worstCost, maxCost) + beyond(minAccuracy, worstAccuracy);

function targetExcess({ target, finalAccuracy, fullCost }: Goal, { accuracy, cost }: Outcome): number {
  if (target.kind === "rad") return beyond((1 - target.loss) * finalAccuracy, accuracy);
  if (target.kind === "drop") return beyond(finalAccuracy - target.points, accuracy);
  const limit = target.kind === "budget" ? target.cost : target.milliseconds / fullCost;
  return beyond(cost / fullCost, limit);
}

/** The best point of at least one.
 * @throws DynnError 'policy/validation' when no point reaches the goal */
export function best<P extends OperatingPoint>(goal: Goal, rule: Rule, points: readonly P[]): P {
  const merit = goalMerit(goal);
  const chosen = points.reduce((a, b) => (isBetter(merit(b), merit(a)) ? b : a));
  if (reaches(goal, chosen)) return chosen;
  throw unreachable(goal, rule, points);
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
const milliseconds = (x: number): string => `${Number(x.toPrecision(3))} ms`;

function unreachable(goal: Goal, rule: Rule, points: readonly OperatingPoint[]): DynnError {
  const onTarget = points.filter((p) => reaches({ ...goal, bounds: {} }, p));
  const text = onTarget.length === 0 ? missedTarget(goal, points) : missedBounds(goal, onTarget);
  const { target, bounds } = goal;
  return new DynnError("policy/validation", `calibration: no threshold of rule ${rule} ${text}`, { target, bounds });
}

/** @param points points that reach the target */
function missedBounds({ bounds: { maxCost, minAccuracy } }: Goal, points: readonly OperatingPoint[]): string {
  const missed = [
    ...(maxCost === undefined ? [] : [missedCost(maxCost, points)]),
    ...(minAccuracy === undefined ? [] : [missedAccuracy(minAccuracy, points)]),
  ];
  const all = (of: "bound" | "found" | "allow"): string => missed.map((one) => one[of]).join(" and ");
  const apart = missed.length > 1 ? ", each by itself" : "";
  return `keeps ${all("bound")} beside its target; ${all("found")}${apart}. Allow ${all("allow")}, or a weaker target.`;
}

const missedCost = (bound: number, points: readonly OperatingPoint[]) => ({
  bound: `the mean cost under attack at ${percent(bound)} of the full network`,
  found: `the least is ${percent(least(points, (p) => p.worstCost ?? 0))}`,
  allow: "a larger cost under attack",
});

const missedAccuracy = (bound: number, points: readonly OperatingPoint[]) => ({
  bound: `the accuracy under attack at ${percent(bound)}`,
  found: `the best is ${percent(-least(points, (p) => -(p.worstAccuracy ?? 1)))}`,
  allow: "a lower accuracy under attack",
});

const least = (points: readonly OperatingPoint[], of: (p: OperatingPoint) => number): number =>
  Math.min(...points.map(of));

function missedTarget({ target, fullCost }: Goal, points: readonly OperatingPoint[]): string {
  const cheapest = least(points, (p) => p.cost);
  switch (target.kind) {
    case "rad":
      return `keeps ${percent(1 - target.loss)} of the final exit's accuracy; the best reaches ${percent(-least(points, (p) => -p.accuracy))} accuracy. Allow a larger loss, or use the fallback final.`;
    case "drop":
      return `loses at most ${(100 * target.points).toFixed(1)} points of accuracy; the best reaches ${percent(-least(points, (p) => -p.accuracy))} accuracy. Allow a larger loss, or use the fallback final.`;
    case "budget":
      return `keeps the mean cost at ${percent(target.cost)} of the full network; the cheapest path costs ${percent(cheapest / fullCost)}. Allow a larger budget.`;
    case "latency":
      return `keeps the mean time at ${milliseconds(target.milliseconds)}; the cheapest path takes ${milliseconds(cheapest)}. Allow more time.`;
  }
}
