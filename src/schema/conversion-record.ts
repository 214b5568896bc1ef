/** @file The conversion record, from which the report of `dynn convert` is drawn. The run folder
 *  keeps it as conversion.json. docs/convert.md explains the fields. */
import { z } from "zod";
import { meanSchema } from "./calibration-record.js";
import { digestSchema, madeFields } from "./made.js";
import { count, estimateSchema, notesSchema, rateSchema, toolSchema, warningsSchema } from "./numbers.js";
import { policySchema } from "./policy.js";
import { speedsSchema } from "./speed.js";
import { steadinessSchema } from "./steadiness.js";
import { targetSchema } from "./target.js";

export const CONVERSION_SCHEMA_VERSION = 1;

const partSchema = z.object({ name: z.string(), count });
const share = z.number().min(0);

const outcomeSchema = z.object({
  records: z
    .enum(["test", "validation"])
    .describe("validation: each record under thresholds that were chosen without it, in five parts"),
  samples: count,
  final: rateSchema.describe("accuracy of the final exit alone, which is that of the source"),
  accuracy: rateSchema.describe("accuracy under the policy"),
  lost: estimateSchema.describe("final minus accuracy, with Tango's 95 % interval"),
  meanCostFraction: meanSchema.describe("mean cost, as a share of the full network's MACs"),
});

export const conversionRecordSchema = z.object({
  schemaVersion: z.literal(CONVERSION_SCHEMA_VERSION),
  tool: toolSchema,
  ...madeFields,
  model: z.object({
    name: z.string(),
    sha256: digestSchema.describe("SHA-256 of the file that was converted"),
    parameters: count,
    classes: count,
  }),
  data: z.object({ train: partSchema, validation: partSchema, test: partSchema.nullable(), notes: notesSchema }),
  warnings: warningsSchema,
  target: targetSchema.nullable().describe("null: no policy was asked for"),
  confidence: z
    .number()
    .optional()
    .describe("probability with which the policy keeps the target on other records; absent: not a limit on accuracy"),
  cost: z.enum(["macs", "time"]).nullable().describe("the cost by which exits were placed; null: the call named them"),
  placesSteadiness: steadinessSchema.optional().describe("of the machine, where places were timed"),
  places: z
    .array(
      z.object({
        cut: z.string(),
        shape: z.string(),
        fraction: share.describe("cost in front of the place, as a share of the network's"),
        headFraction: share,
        exit: z.string().optional().describe("the exit that stands there"),
        unfit: z.string().optional().describe("why no exit stands there; absent: another exit is near"),
      }),
    )
    .min(1),
  training: z.object({
    recipe: z.string(),
    batch: count,
    steps: count,
    planned: count.describe("steps of the whole run, if it had not stopped"),
    bestStep: count.describe("the step after which the kept weights were reached"),
    seconds: z.number().min(0),
    curve: z
      .array(z.object({ step: count, train: z.array(z.number()), validation: z.array(z.number()) }))
      .describe("accuracy of each exit after each pass"),
  }),
  exits: z
    .array(
      z.object({
        name: z.string(),
        macs: count,
        costFraction: share,
        train: share.describe("accuracy on the images that the heads learned from, during the best pass"),
        validation: rateSchema,
        test: rateSchema.nullable(),
      }),
    )
    .min(1),
  policy: policySchema.nullable(),
  outcome: outcomeSchema.nullable().describe("null without a policy"),
  speeds: speedsSchema.optional(),
});

/** The record of a conversion. */
export type ConversionRecord = z.infer<typeof conversionRecordSchema>;
