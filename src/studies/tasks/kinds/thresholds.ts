/** @file The task `thresholds`: chooses the policy of a network on validation records, for all its
 *  exits or for some of them. */
import { z } from "zod";
import {
  type Calibration,
  calibrate,
  fitTemperature,
  type Measured,
  THRESHOLD_KINDS,
} from "../../../dynamic/choose/calibrate.js";
import { count } from "../../../schema/numbers.js";
import { FALLBACKS, type Policy, policySchema, RULES, singleExitPolicy } from "../../../schema/policy.js";
import type { AnswerRow } from "../../../schema/study/tables.js";
import { targetSchema } from "../../../schema/target.js";
import { type TaskInputs, taskKind } from "../kind.js";
import { ANSWERS_FILE, LOGITS_FILE, labelsIn, logitsOf } from "./answers.js";

export const POLICY_FILE = "policy.json";
/** The points of accuracy and cost that the policy was chosen from. */
export const CURVES_FILE = "curves.json";

const parameters = z.strictObject({
  rule: z.enum(RULES),
  fallback: z.enum(FALLBACKS),
  temperatures: z.array(z.number().positive()).optional(),
  target: targetSchema,
  /** Cost of each exit of the network, as a share of the final exit's. */
  costs: z.array(z.number().min(0)).min(1),
  /** The exits that are kept, the final one last; absent: all. */
  exits: z.array(count).min(1).optional(),
  /** Absent: one for all exits. */
  thresholds: z.enum(THRESHOLD_KINDS).optional(),
  /** Whether a temperature is fitted to each exit first. */
  fit: z.boolean().optional(),
  /** Bounds on the attacked records of the input. */
  bounds: z.strictObject({ maxCost: z.number().optional(), minAccuracy: z.number().optional() }).optional(),
  /** Whether the points that it was chosen from are kept. */
  curves: z.boolean().optional(),
});
export type ThresholdParameters = z.infer<typeof parameters>;

export const thresholdsKind = taskKind<ThresholdParameters>({
  name: "thresholds",
  version: 1,
  parameters,
  inputs: ["answers", "attacked"],
  cores: "one",
  macs: () => 0,
  run: async (_key, given, inputs) => {
    const attacked = await measuredIn(inputs, "attacked", given);
    const [validation] = await measuredIn(inputs, "answers", given);
    const { policy, ...curves } = choose(validation, attacked, given);
    return {
      files: { [POLICY_FILE]: jsonBytes(policy), ...(given.curves ? { [CURVES_FILE]: jsonBytes(curves) } : {}) },
    };
  },
});

/** The policy for the kept exits, on their logits for validation records. */
function choose(
  validation: Measured,
  attacked: readonly Measured[],
  { costs, exits, fit, bounds, curves: _curves, ...request }: ThresholdParameters,
): Pick<Calibration, "policy" | "uniform" | "perExit"> {
  const kept = exits ?? costs.map((_, k) => k);
  if (kept.length === 1) return { policy: singleExitPolicy(request.rule, request.fallback), uniform: [], perExit: [] };
  const temperatures = fit ? kept.map((_, k) => fitTemperature(validation, k)) : request.temperatures;
  const { policy, uniform, perExit } = calibrate(validation, {
    ...{ ...request, temperatures, costs: kept.map((k) => costs[k]) },
    worstCase: attacked.length > 0 ? { attacked, ...bounds } : undefined,
  });
  return { policy, uniform, perExit };
}

/** JSON as the bytes of a file. */
export const jsonBytes = (value: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

/** Reads the policy of a finished task. */
export const readPolicy = (bytes: Uint8Array): Policy =>
  policySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));

/** The points that a policy was chosen from. */
export type Curves = Pick<Calibration, "uniform" | "perExit">;

/** Reads the points of a finished task. */
export const readCurves = (bytes: Uint8Array): Curves => JSON.parse(new TextDecoder().decode(bytes)) as Curves;

/** The policy of an input, or that of a network with one exit. */
export async function policyOf(inputs: TaskInputs, name = "policy"): Promise<Policy> {
  const [file] = await inputs.files(name, POLICY_FILE);
  return file ? readPolicy(file) : singleExitPolicy();
}

/** The logits and labels of an input, one entry per task. */
export async function measuredIn(
  inputs: TaskInputs,
  name: string,
  { exits }: Pick<ThresholdParameters, "exits">,
): Promise<Measured[]> {
  const rows = await inputs.tables<AnswerRow>(name, ANSWERS_FILE);
  return (await inputs.arrays(name, LOGITS_FILE)).map((logits, i) => ({
    logits: logitsOf(logits, exits),
    labels: labelsIn(rows[i]),
  }));
}
