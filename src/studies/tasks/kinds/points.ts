/** @file The task `points`: the policies that a profile measures. Some are given, and others are
 *  chosen on the answers for validation records. */
import { z } from "zod";
import { DynnError } from "../../../core/errors.js";
import {
  calibrate,
  type Measured,
  type OperatingPoint,
  operatingPoints,
  paretoFront,
} from "../../../dynamic/choose/calibrate.js";
import { FALLBACKS, NEVER_FIRES, type Policy, policySchema, RULES, type Rule } from "../../../schema/policy.js";
import type { CalibrationTarget } from "../../../schema/target.js";
import { taskKind } from "../kind.js";
import { stated } from "./policy.js";
import { jsonBytes, measuredIn } from "./thresholds.js";

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
});
export type PointsParameters = z.infer<typeof parameters>;

export const pointsKind = taskKind<PointsParameters>({
  name: "points",
  version: 1,
  parameters,
  inputs: ["answers"],
  cores: "one",
  macs: () => 0,
  run: async (_key, given, inputs) => {
    const [validation] = await measuredIn(inputs, "answers", {});
    const points = distinct([...given.given, ...(validation ? chosenPoints(given, validation) : [])]);
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
function chosenPoints({ rules, fallback, temperatures, costs }: PointsParameters, validation: Measured): Point[] {
  const frameOf = (rule: Rule) => ({ rule, fallback, temperatures, costs });
  const targeted = TARGETS.flatMap(([name, target]) => {
    const policy = reachable(() => calibrate(validation, { ...frameOf(rules[0]), target }).policy);
    return policy ? [{ name, kind: "chosen" as const, policy: stated(policy) }] : [];
  });
  const swept = rules.flatMap((rule) =>
    spaced(operatingPoints(validation, frameOf(rule)), rule).map(
      ({ thresholds }): Point => ({
        name: pointName(rule, thresholds[0]),
        kind: "sweep",
        policy: stated({ rule, thresholds, fallback, temperatures }),
      }),
    ),
  );
  return [...targeted, ...swept];
}

/** The policy for a target. Undefined when no threshold reaches the target. */
function reachable(choose: () => Policy): Policy | undefined {
  try {
    return choose();
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
    const { rule, thresholds, fallback } = point.policy;
    const key = JSON.stringify([rule, thresholds, fallback]);
    const same = found.get(key);
    if (!same) found.set(key, point);
    else if (point.kind === "chosen") found.set(key, { ...same, name: `${same.name}, ${point.name}` });
  }
  return [...found.values()];
}
