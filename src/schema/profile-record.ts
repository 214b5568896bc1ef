/** @file The profile record, which `dynn profile --json` writes and the report draws. It is a
 *  versioned contract. Times are measured, never estimated. Two networks are always compared within
 *  the same round of the same run. docs/profiling.md explains the fields. */
import { z } from "zod";
import { memoryFields } from "./batch.js";
import { digestSchema, machineSchema, madeFields } from "./made.js";
import { count, estimateSchema, notesSchema, rateSchema, share, toolSchema, warningsSchema } from "./numbers.js";
import { policySchema } from "./policy.js";
import { readingFields } from "./reading.js";
import { steadinessSchema } from "./steadiness.js";
import { gateFields } from "./units.js";

/** Version of the profile record. */
export const PROFILE_SCHEMA_VERSION = 1;

const size = z.number().int().min(1);
const positive = z.number().min(0);

/** A quantity that is measured once in every round. */
export const spreadSchema = z.object({ median: positive, low: positive, high: positive });

const latencySchema = z.object({
  p50: positive,
  p95: positive,
  p99: positive,
  requests: size.describe("number of timed requests, over all rounds"),
});

const timingSchema = z.object({
  batch: size,
  msPerImage: spreadSchema.describe("milliseconds per image when all images are available"),
  latencyMs: latencySchema.optional().describe("milliseconds from a batch that arrives alone to its last answer"),
});

const savingSchema = timingSchema.extend({
  speedUp: spreadSchema.describe("time of the static network divided by the time of this point"),
  overhead: positive.describe(
    "1 / (speedUp x macsFraction): measured over predicted time; 1 when all that MACs save is real",
  ),
  realSaving: z
    .number()
    .nullable()
    .describe("saved share of time divided by saved share of MACs; null when less than 5 % of MACs are saved"),
  baselineSpeedUp: spreadSchema.optional().describe("time of the baseline divided by the time of this point"),
});

const networkSchema = z.object({
  name: z.string(),
  macs: positive.describe("multiply-accumulates of one image"),
  parameters: count,
  accuracy: rateSchema,
  timings: z.array(timingSchema).min(1),
});

const pointSchema = z.object({
  name: z.string(),
  kind: z
    .enum(["chosen", "sweep"])
    .describe("chosen: timed at every batch size, with latencies; sweep: timed at the largest one"),
  ...policySchema.shape,
  accuracy: rateSchema,
  lost: estimateSchema
    .optional()
    .describe("accuracy of the static network minus this one's, on the same images, with Tango's 95 % interval"),
  sameAs: z.string().optional().describe("name of an earlier point that decides the same for every image reported"),
  exitCounts: z.array(count).describe("images whose work stops at each exit"),
  openRates: z
    .array(share.nullable())
    .optional()
    .describe("per gate: share of the images that meet it for which it is open; absent: the network has no gates"),
  meanMacs: positive,
  macsFraction: positive.describe(
    "meanMacs divided by the MACs of the static network; above 1 when heads cost more than they save",
  ),
  timings: z.array(savingSchema).min(1),
});

/** Checks and types the record of a profile. */
export const profileRecordSchema = z.object({
  schemaVersion: z.literal(PROFILE_SCHEMA_VERSION),
  tool: toolSchema,
  ...madeFields,
  machine: machineSchema.describe("the machine of all times; the same as in `made`, where that is there"),
  model: z.object({
    name: z.string(),
    sha256: digestSchema,
    input: z.array(z.union([z.string(), z.number()])),
    parameters: count,
    exits: z.array(z.object({ name: z.string(), macs: positive, costFraction: share })).min(1),
    ...readingFields,
    ...gateFields,
  }),
  data: z.object({
    name: z.string(),
    samples: size,
    seed: z.number().int(),
    validation: z
      .object({ name: z.string(), samples: count })
      .optional()
      .describe("the split on which thresholds were chosen; never overlaps the reported samples"),
    notes: notesSchema,
  }),
  warnings: warningsSchema,
  ...memoryFields,
  rounds: size,
  steadiness: steadinessSchema.optional().describe("absent for one round"),
  batches: z.array(size).min(1).describe("rising"),
  static: networkSchema.describe("the same weights up to the final exit, without early exits"),
  baseline: networkSchema.optional().describe("another network, usually a smaller one, up to its final exit"),
  points: z.array(pointSchema).describe("empty for a static network"),
  seconds: positive,
});

export type Spread = z.infer<typeof spreadSchema>;
export type Latency = z.infer<typeof latencySchema>;
export type Timing = z.infer<typeof timingSchema>;
export type Saving = z.infer<typeof savingSchema>;
export type ProfiledNetwork = z.infer<typeof networkSchema>;
export type ProfiledPoint = z.infer<typeof pointSchema>;
/** The record of a profile. docs/profiling.md explains it. */
export type ProfileRecord = z.infer<typeof profileRecordSchema>;
