/** @file Makes operating points: the policies that a profile measures. Thresholds are chosen on
 *  validation records, never on reported records. */
import { DynnError } from "../../core/errors.js";
import {
  type Calibration,
  type Measured,
  type OperatingPoint,
  operatingPoints,
  paretoFront,
} from "../../dynamic/choose/calibrate.js";
import { calibrateUnits, type MeasuredUnits } from "../../dynamic/choose/calibrate-units.js";
import type { PolicyFrame } from "../../dynamic/choose/readings.js";
import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { makePolicy, RULE_DEFS } from "../../dynamic/route/policy.js";
import { unitShares } from "../../dynamic/run/gated-runs.js";
import { NEVER_FIRES, type Policy, type Rule, uniformPolicy } from "../../schema/policy.js";
import type { ProfiledPoint } from "../../schema/profile-record.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { isRoutable } from "../../schema/units.js";
import type { PointOptions } from "./options.js";

export interface Point {
  readonly name: string;
  readonly kind: ProfiledPoint["kind"];
  readonly policy: Policy;
}

/** The targets for thresholds when none are given. */
export const TARGETS: readonly (readonly [name: string, target: CalibrationTarget])[] = [
  ["rad 5 %", { kind: "rad", loss: 0.05 }],
  ["rad 15 %", { kind: "rad", loss: 0.15 }],
  ["budget 50 %", { kind: "budget", cost: 0.5 }],
];

/** Number of thresholds in each rule's sweep. */
const SWEEP = 6;

/** Points with known thresholds. One point never stops early, which shows the cost of the exits
 * when they save nothing. Others are the model's own policy, and the given thresholds under every
 * rule. A static network has no points.
 * @throws DynnError 'policy/value' when a threshold is out of its rule's range */
export function fixedPoints(model: DynamicModel, { rules, thresholds = [], fallback }: PointOptions): Point[] {
  const [exits, rule] = [model.exits.length, rules[0]];
  if (!isRoutable(model)) return [];
  const { temperatures, gates } = model.policy ?? {};
  const own = { ...(temperatures ? { temperatures } : {}), ...(gates ? { gates } : {}) };
  const given = rules.flatMap((each) =>
    thresholds.map((threshold) =>
      chosen(nameOf(each, threshold), { ...makePolicy(each, [threshold], fallback, shapeOf(model)), ...own }),
    ),
  );
  return [
    chosen(exits > 1 ? "nothing leaves" : "gates as they are", {
      ...uniformPolicy(rule, fallback, strictest(rule, model.classes), exits),
      ...own,
    }),
    ...(model.policy ? [chosen("own policy", model.policy)] : []),
    ...given,
  ];
}

const shapeOf = ({ exits, classes }: DynamicModel) => ({ exits: exits.length, classes });
const chosen = (name: string, policy: Policy): Point => ({ name, kind: "chosen", policy });
const nameOf = (rule: Rule, threshold: number): string => `${rule} ${Number(threshold.toPrecision(3))}`;

/** The threshold that only a confidence of 1 (or the best value of the rule) reaches. An exit can
 * fire at this threshold, so the executor runs every head. Past it, the executor would leave the
 * heads out. */
function strictest(rule: Rule, classes: number): number {
  const { range, rank } = RULE_DEFS[rule];
  const [low, high] = range(classes);
  return rank(high) > rank(low) ? high : low;
}

/** Points with thresholds that are chosen on validation logits: one per target for the first rule,
 * and a sweep for every rule. */
export async function chosenPoints(
  model: DynamicModel,
  { rules, fallback }: PointOptions,
  validation: MeasuredUnits,
): Promise<Point[]> {
  const gates = model.gates.length;
  const frameOf = (rule: Rule) => ({ rule, fallback, temperatures: model.policy?.temperatures, ...unitShares(model) });
  const targeted: Point[] = [];
  for (const [name, target] of TARGETS) {
    const policy = await reachable(calibrateUnits(validation, { ...frameOf(rules[0]), gates, target }));
    if (policy) targeted.push(chosen(name, policy));
  }
  const own = await validation.at(new Array<number>(gates).fill(0));
  const swept = model.exits.length === 1 ? [] : rules.flatMap((rule) => sweepOf(frameOf(rule), own));
  return [...targeted, ...swept];
}

/** A sweep of the thresholds of exits. Gates stay as they are. */
function sweepOf(frame: PolicyFrame & UnitCosts, own: Measured): Point[] {
  const { rule, fallback, temperatures } = frame;
  return spaced(operatingPoints(own, frame), rule).map(
    ({ thresholds }): Point => ({
      name: nameOf(rule, thresholds[0]),
      kind: "sweep",
      policy: { rule, thresholds, fallback, ...(temperatures ? { temperatures } : {}) },
    }),
  );
}

/** The policy for a target. Undefined when no threshold reaches the target. */
async function reachable(calibration: Promise<Calibration>): Promise<Policy | undefined> {
  try {
    return (await calibration).policy;
  } catch (thrown) {
    if (thrown instanceof DynnError && thrown.code === "policy/validation") return undefined;
    throw thrown;
  }
}

/** Points of the accuracy-cost curve at evenly spaced costs, without the point that never stops
 * early. */
function spaced(points: readonly OperatingPoint[], rule: Rule): OperatingPoint[] {
  const front = paretoFront(points.filter(({ thresholds }) => thresholds[0] !== NEVER_FIRES[rule]));
  const [low = 0, high = 0] = [front.at(0)?.cost, front.at(-1)?.cost];
  const wanted = Array.from({ length: SWEEP }, (_, i) => low + ((high - low) * i) / (SWEEP - 1));
  const nearest = (cost: number): OperatingPoint =>
    front.reduce((a, b) => (Math.abs(b.cost - cost) < Math.abs(a.cost - cost) ? b : a));
  return front.length === 0 ? [] : [...new Set(wanted.map(nearest))];
}

/** Each policy once. Chosen points with the same policy become one point with all their names. A
 * chosen point replaces a point of a sweep. */
export function distinct(points: readonly Point[]): Point[] {
  const found = new Map<string, Point>();
  for (const point of points) {
    const { rule, thresholds, fallback, gates } = point.policy;
    const key = JSON.stringify([rule, thresholds, fallback, gates]);
    const same = found.get(key);
    if (!same) found.set(key, point);
    else if (point.kind === "chosen") found.set(key, { ...same, name: `${same.name}, ${point.name}` });
  }
  return [...found.values()];
}
