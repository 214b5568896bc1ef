/** @file The calibration record, which `dynn calibrate --json` writes and its report draws. It is a
 *  versioned contract, like the audit record. docs/calibration.md explains the fields. */
import { z } from "zod";
import { nothingSchema } from "./audit-record.js";
import { memoryFields } from "./batch.js";
import { digestSchema, madeFields } from "./made.js";
import { normSchema } from "./norm.js";
import { count, estimateSchema, notesSchema, rateSchema, share, toolSchema, warningsSchema } from "./numbers.js";
import { policySchema } from "./policy.js";
import { readingFields } from "./reading.js";
import { speedsSchema } from "./speed.js";
import { steadinessSchema } from "./steadiness.js";
import { targetSchema } from "./target.js";
import { gateFields } from "./units.js";

export const CALIBRATION_SCHEMA_VERSION = 1;

export const meanSchema = z
  .object({ value: z.number().min(0), low: z.number().min(0), high: z.number().min(0) })
  .describe("a mean with its 95 % interval, mean +- 1.96 standard errors");

const confidenceSchema = z.object({
  nll: z.number().min(0).describe("mean negative log-likelihood of the true label, nats"),
  ece: share.describe("expected calibration error, 15 bins of equal width"),
});

const exitOnSplitSchema = z.object({
  accuracy: rateSchema,
  plain: confidenceSchema.describe("at temperature 1"),
  scaled: confidenceSchema.optional().describe("at the fitted temperature; absent when temperatures were not fitted"),
});

const exitSchema = z.object({
  name: z.string(),
  macs: z.number().min(0),
  costFraction: share,
  milliseconds: z.number().min(0).optional().describe("cumulative time per sample, if it was measured"),
  temperature: z.number().positive().optional(),
  validation: exitOnSplitSchema,
  test: exitOnSplitSchema,
});

const outcomeSchema = z.object({
  samples: count,
  accuracy: rateSchema.describe("routed answers that are the true label"),
  lost: estimateSchema
    .optional()
    .describe(
      "accuracy of the final exit minus that of the routed answers, on the same records, with Tango's 95 % interval; gates of that final exit are at their own thresholds",
    ),
  meanCostFraction: meanSchema.describe("mean cost, as a share of the full network's MACs"),
  meanMilliseconds: meanSchema.optional().describe("mean time per sample, if the time of exits was measured"),
  exitCounts: z.array(count).describe("samples whose work stops at each exit"),
  openRates: z
    .array(share.nullable())
    .optional()
    .describe("per gate: the share of the samples that meet it for which it is open; absent: no gates"),
});

const pointSchema = z.object({
  thresholds: z.array(z.number()),
  gates: z
    .object({ thresholds: z.array(z.number()) })
    .optional()
    .describe("thresholds of the gates; absent: the network has none"),
  validation: z.object({ accuracy: rateSchema, cost: z.number().min(0) }),
  test: z.object({ accuracy: rateSchema, cost: z.number().min(0) }),
});

const attackedSchema = z.object({
  samples: count,
  accuracy: rateSchema.describe("routed answers that are right under the attack"),
  meanCost: meanSchema.describe("mean cost under the attack, as a share of the full cost"),
  nothingToAttack: nothingSchema,
  vanishedGradients: count
    .optional()
    .describe("samples with a vanished gradient, as in the audit record; the attack may be too weak on them"),
});

/** Checks and types the record of a calibration. */
export const calibrationRecordSchema = z.object({
  schemaVersion: z.literal(CALIBRATION_SCHEMA_VERSION),
  tool: toolSchema,
  ...madeFields,
  model: z.object({
    name: z.string(),
    sha256: digestSchema,
    parameters: count,
    classes: count,
    ...readingFields,
    ...gateFields,
  }),
  data: z.object({
    test: z.object({ name: z.string(), samples: count }),
    validation: z.object({ name: z.string(), samples: count }),
    seed: z.number().int(),
    notes: notesSchema,
  }),
  warnings: warningsSchema,
  ...memoryFields,
  target: targetSchema,
  thresholdKind: z.enum(["uniform", "per-exit"]),
  costUnit: z.enum(["share", "milliseconds"]).describe("unit of the curves' costs: share of the full MACs, or time"),
  steadiness: steadinessSchema.optional().describe("of the machine, where the time of exits was measured"),
  policy: policySchema,
  exits: z.array(exitSchema).min(1),
  validation: outcomeSchema.describe(
    "result on the validation records, on which the policy was chosen, so slightly optimistic",
  ),
  test: outcomeSchema.describe("the same policy on records that were not used to choose it"),
  speeds: speedsSchema
    .optional()
    .describe("measured time under the policy against the same network without early exits; absent: not measured"),
  curves: z.object({
    uniform: z
      .array(pointSchema)
      .min(1)
      .describe("one threshold for all exits: points that no other point dominates, by rising cost"),
    perExit: z.array(pointSchema).describe("one threshold per exit; empty unless requested"),
  }),
  worstCase: z
    .object({
      attack: z.string(),
      objective: z.string().describe("the goal of the attack"),
      norm: normSchema,
      radius: z.number().min(0).nullable(),
      maxCost: share.optional().describe("the bound on the mean cost under attack, if one was given"),
      minAccuracy: share.optional().describe("the bound on the accuracy under attack, if one was given"),
      rounds: count.describe("number of rounds; each attacks the validation samples under the latest policy"),
      retriedOnMargins: z
        .boolean()
        .optional()
        .describe("whether samples with vanished gradients were attacked again, as in the audit record"),
      held: z
        .boolean()
        .describe("whether the bounds hold under the last attack, whose samples were not used to choose the policy"),
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
