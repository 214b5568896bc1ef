/** @file The task `thresholds`: chooses the policy of a network on validation records, for all its
 *  exits or for some of them. */
import { z } from "zod";
import { present } from "../../../core/present.js";
import { type Calibration, fitTemperature, THRESHOLD_KINDS } from "../../../dynamic/choose/calibrate.js";
import { calibrateUnits } from "../../../dynamic/choose/calibrate-units.js";
import { count } from "../../../schema/numbers.js";
import { FALLBACKS, RULES, singleExitPolicy } from "../../../schema/policy.js";
import { targetSchema } from "../../../schema/target.js";
import { taskKind } from "../kind.js";
import { jsonBytes, POLICY_FILE } from "./policy.js";
import { type ChoiceUnits, choiceMacs, gatedSchema, gatesOf, unitsIn } from "./units.js";

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
  /** For a network with gates; absent: the input "answers" is chosen on. */
  gated: gatedSchema.optional(),
});
export type ThresholdParameters = z.infer<typeof parameters>;

export const thresholdsKind = taskKind<ThresholdParameters>({
  name: "thresholds",
  version: 1,
  parameters,
  inputs: ["networks", "answers", "attacked", "images"],
  cores: "one",
  macs: choiceMacs,
  run: async (_key, given, inputs, context) => {
    const { policy, ...curves } = await choose(await unitsIn(given, inputs, context), given);
    return {
      files: { [POLICY_FILE]: jsonBytes(policy), ...(given.curves ? { [CURVES_FILE]: jsonBytes(curves) } : {}) },
    };
  },
});

/** The policy for the kept exits and all gates, on validation records. */
async function choose(
  { validation, attacked }: ChoiceUnits,
  { costs, exits, fit, bounds, curves: _curves, gated, ...request }: ThresholdParameters,
): Promise<Pick<Calibration, "policy" | "uniform" | "perExit">> {
  const kept = exits ?? costs.map((_, k) => k);
  if (kept.length === 1 && !gated) return { policy: singleExitPolicy(request), uniform: [], perExit: [] };
  const records = present(validation, "validation records");
  const own = await records.at(new Array<number>(gatesOf({ gated }).gates).fill(0));
  const temperatures = fit ? kept.map((_, k) => fitTemperature(own, k)) : request.temperatures;
  const { policy, uniform, perExit } = await calibrateUnits(records, {
    ...{ ...request, ...gatesOf({ gated }), temperatures, costs: kept.map((k) => costs[k]) },
    worstCase: attacked.length > 0 ? { attacked, ...bounds } : undefined,
  });
  return { policy, uniform, perExit };
}

/** The points that a policy was chosen from. */
export type Curves = Pick<Calibration, "uniform" | "perExit">;

/** Reads the points of a finished task. */
export const readCurves = (bytes: Uint8Array): Curves => JSON.parse(new TextDecoder().decode(bytes)) as Curves;
