/** @file The task `points`: the policies that a profile measures. Some are given, and others are
 *  chosen on the answers for validation records. */
import { z } from "zod";
import { DynnError } from "../../../core/errors.js";
import {
  type Calibration,
  type Measured,
  type OperatingPoint,
  operatingPoints,
  paretoFront,
} from "../../../dynamic/choose/calibrate.js";
import { calibrateUnits, type MeasuredUnits } from "../../../dynamic/choose/calibrate-units.js";
import type { PolicyFrame } from "../../../dynamic/choose/readings.js";
import type { UnitCosts } from "../../../dynamic/choose/sweep.js";
import {
  FALLBACKS,
  NEVER_FIRES,
  type Policy,
  policyRecord,
  policySchema,
  RULES,
  type Rule,
} from "../../../schema/policy.js";
import type { CalibrationTarget } from "../../../schema/target.js";
import { taskKind } from "../kind.js";
import { jsonBytes } from "./policy.js";
import { choiceMacs, gatedSchema, gatesOf, unitsIn } from "./units.js";

export const POINTS_FILE = "points.json";

const pointSchema = z.strictObject({ name: z.string(), kind: z.enum(["chosen", "sweep"]), policy: policySchema });
/** A policy to measure, with its name. */
export type Point = z.infer<typeof pointSchema>;

const parameters = z.strictObject({
  /** Points that are measured in any case. */
  given: z.array(pointSchema),
  /** Rules of the sweeps; the targets take the first one. */
  rules: z.array(z.enum(RULES)).min(1),
  fallback: z.enum(FALLBACKS),
  temperatures: z.array(z.number().positive()).optional(),
  /** Cost of each exit, as a share of the final exit's. */
  costs: z.array(z.number().min(0)).min(1),
  /** For a network with gates whose thresholds are chosen; absent: the input "answers" is chosen
   * on. */
  gated: gatedSchema.optional(),
});
export type PointsParameters = z.infer<typeof parameters>;

export const pointsKind = taskKind<PointsParameters>({
  name: "points",
  version: 1,
  parameters,
  inputs: ["networks", "answers"],
  cores: "one",
  macs: choiceMacs,
  run: async (_key, given, inputs, context) => {
    const { validation } = await unitsIn({ gated: given.gated }, inputs, context);
    const points = distinct([...given.given, ...(validation ? await chosenPoints(given, validation) : [])]);
    return { files: { [POINTS_FILE]: jsonBytes(points) } };
  },
});

/** Reads the points of a finished task. */
export const readPoints = (bytes: Uint8Array): Point[] => JSON.parse(new TextDecoder().decode(bytes)) as Point[];

/** The targets for thresholds when none are given. */
const TARGETS: readonly (readonly [name: string, target: CalibrationTarget])[] = [
  ["rad 5 %", { kind: "rad", loss: 0.05 }],
  ["rad 15 %", { kind: "rad", loss: 0.15 }],
  ["budget 50 %", { kind: "budget", cost: 0.5 }],
];

/** Number of thresholds in each rule's sweep. */
const SWEEP = 6;

/** Points with thresholds that are chosen on validation logits: one per target for the first rule,
 * and a sweep for every rule. */
async function chosenPoints(given: PointsParameters, validation: MeasuredUnits): Promise<Point[]> {
  const { rules, fallback, temperatures, costs } = given;
  const { gates, gateCosts } = gatesOf(given);
  const frameOf = (rule: Rule) => ({ rule, fallback, temperatures, costs, gateCosts });
  const targeted: Point[] = [];
  for (const [name, target] of TARGETS) {
    const policy = await reachable(calibrateUnits(validation, { ...frameOf(rules[0]), gates, target }));
    if (policy) targeted.push({ name, kind: "chosen", policy: policyRecord(policy) });
  }
  const own = await validation.at(new Array<number>(gates).fill(0));
  return [...targeted, ...(costs.length === 1 ? [] : rules.flatMap((rule) => sweepOf(frameOf(rule), own)))];
}

/** A sweep of the thresholds of exits. Gates stay as they are. */
function sweepOf(frame: PolicyFrame & UnitCosts, own: Measured): Point[] {
  const { rule, fallback, temperatures } = frame;
  return spaced(operatingPoints(own, frame), rule).map(
    ({ thresholds }): Point => ({
      name: pointName(rule, thresholds[0]),
      kind: "sweep",
      policy: policyRecord({ rule, thresholds, fallback, temperatures }),
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

/** The name of a point with one threshold for all exits. */
export const pointName = (rule: Rule, threshold: number): string => `${rule} ${Number(threshold.toPrecision(3))}`;

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
function distinct(points: readonly Point[]): Point[] {
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
