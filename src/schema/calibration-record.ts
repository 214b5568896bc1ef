/** @file The calibration record: what `dynn calibrate --json` writes and its report draws. A versioned contract, as the audit record is.
 *  Read by: studies (writes it), report (draws it), docs/calibration.md (explains it). */
import { z } from "zod";
import { normSchema } from "./norm.js";
import { count, notesSchema, rateSchema, share, toolSchema, warningsSchema } from "./numbers.js";
import { policySchema } from "./policy.js";
import { targetSchema } from "./target.js";

export const CALIBRATION_SCHEMA_VERSION = 1;

const intervalSchema = z
  .object({ value: z.number().min(0), low: z.number().min(0), high: z.number().min(0) })
  .describe("a mean with its 95 % interval, mean +- 1.96 standard errors");

const confidenceSchema = z.object({
  nll: z.number().min(0).describe("mean negative log-likelihood of the true label, nats"),
  ece: share.describe("expected calibration error, 15 bins of equal width"),
});

const exitOnSplitSchema = z.object({
  accuracy: rateSchema,
  plain: confidenceSchema.describe("at temperature 1"),
  scaled: confidenceSchema.optional().describe("at the fitted temperature; only where temperatures were fitted"),
});

const exitSchema = z.object({
  name: z.string(),
  macs: z.number().min(0),
  costFraction: share,
  milliseconds: z.number().min(0).optional().describe("cumulative time per sample, where it was measured"),
  temperature: z.number().positive().optional(),
  validation: exitOnSplitSchema,
  test: exitOnSplitSchema,
});

const outcomeSchema = z.object({
  samples: count,
  accuracy: rateSchema.describe("routed answers that are the true label"),
  meanCostFraction: intervalSchema.describe("mean cost, as a share of the full network's MACs"),
  meanMilliseconds: intervalSchema.optional().describe("mean time per sample, where the time of exits was measured"),
  exitCounts: z.array(count).describe("samples whose work stops at each exit"),
});

const pointSchema = z.object({
  thresholds: z.array(z.number()),
  validation: z.object({ accuracy: rateSchema, cost: z.number().min(0) }),
  test: z.object({ accuracy: rateSchema, cost: z.number().min(0) }),
});

const attackedSchema = z.object({
  samples: count,
  accuracy: rateSchema.describe("routed answers that are right under the attack"),
  meanCost: intervalSchema.describe("mean cost under the attack, as a share of the full cost"),
});

/** Checks and types the record of a calibration. */
export const calibrationRecordSchema = z.object({
  schemaVersion: z.literal(CALIBRATION_SCHEMA_VERSION),
  tool: toolSchema,
  model: z.object({ name: z.string(), parameters: count, classes: count }),
  data: z.object({
    test: z.object({ name: z.string(), samples: count }),
    validation: z.object({ name: z.string(), samples: count }),
    seed: z.number().int(),
    notes: notesSchema,
  }),
  warnings: warningsSchema,
  target: targetSchema,
  thresholdKind: z.enum(["uniform", "per-exit"]),
  costUnit: z.enum(["share", "milliseconds"]).describe("unit of the curves' costs: share of the full MACs, or time"),
  policy: policySchema,
  exits: z.array(exitSchema).min(2),
  validation: outcomeSchema.describe("what the policy was chosen by, so a little too good"),
  test: outcomeSchema.describe("the same policy on records that it was not chosen on"),
  curves: z.object({
    uniform: z
      .array(pointSchema)
      .min(1)
      .describe("one threshold for all exits: points that no other one beats, by rising cost"),
    perExit: z.array(pointSchema).describe("a threshold per exit; empty unless asked for"),
  }),
  worstCase: z
    .object({
      attack: z.string(),
      objective: z.string(),
      norm: normSchema,
      radius: z.number().min(0).nullable(),
      maxCost: share.optional().describe("the bound on the mean cost under attack, where there is one"),
      minAccuracy: share.optional().describe("the bound on the accuracy under attack, where there is one"),
      rounds: count.describe("times that validation samples were attacked, each time under the policy chosen so far"),
      held: z.boolean().describe("whether the bounds hold against the last attack, which the policy was not chosen on"),
      validation: attackedSchema,
      test: attackedSchema,
    })
    .optional(),
  seconds: z.number().min(0),
});

/** The record of a calibration. */
export type CalibrationRecord = z.infer<typeof calibrationRecordSchema>;
export type CalibrationPoint = z.infer<typeof pointSchema>;
export type CalibrationExit = z.infer<typeof exitSchema>;
export type CalibrationOutcome = z.infer<typeof outcomeSchema>;
