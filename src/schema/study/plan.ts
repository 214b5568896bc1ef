/** @file The plan of a study: everything that decides its results, fixed before the first attack.
 *  Its hash stands in the verdicts. */
import { z } from "zod";
import { count, share, toolSchema } from "../numbers.js";
import { FALLBACKS, RULES } from "../policy.js";
import { targetSchema } from "../target.js";
import { networkRecipeSchema } from "../zoo.js";
import { studyAttackSchema } from "./file.js";
import { CLAIMS, ROLES } from "./record.js";
import { dataRefSchema, trainingRefSchema } from "./references.js";

export const PLAN_VERSION = 1;

const trainingSchema = networkRecipeSchema.extend({
  data: z.string().describe("name of the data set"),
  init: z.string().nullable().describe("network of the plan whose weights the first run begins with"),
});
/** How a task of the study trains a network. */
export type PlannedTraining = z.infer<typeof trainingSchema>;

const networkSchema = z.strictObject({
  spec: z.string(),
  sha256: z.string().nullable().describe("null: a task of the study trains the network"),
  training: trainingSchema.optional(),
  parameters: count,
  classes: count,
  legalCuts: count.describe("places where an exit could be"),
  exits: z.array(z.strictObject({ name: z.string(), output: z.string(), macs: count, costFraction: share })).min(1),
  gates: z
    .array(
      z.strictObject({
        name: z.string(),
        macs: count.describe("saved when the gate is closed"),
        costFraction: share,
        exit: count.describe("index of the first exit behind the gate"),
      }),
    )
    .optional()
    .describe("absent: the network skips no block"),
});
export type PlannedNetwork = z.infer<typeof networkSchema>;

const blockSchema = z.strictObject({
  name: z.string(),
  cell: z.string(),
  architecture: z.string(),
  data: z.string(),
  seed: count,
  networks: z.partialRecord(z.enum(ROLES), z.string()).describe("names of networks of the plan"),
  missing: z.array(z.strictObject({ role: z.enum(ROLES), network: z.string() })),
});
export type PlannedBlock = z.infer<typeof blockSchema>;

/** Checks a plan. */
export const studyPlanSchema = z.strictObject({
  schemaVersion: z.literal(PLAN_VERSION),
  tool: toolSchema,
  name: z.string(),
  tier: z.string().nullable(),
  seed: count,
  policy: z.strictObject({
    rule: z.enum(RULES),
    fallback: z.enum(FALLBACKS),
    targets: z.array(z.strictObject({ name: z.string(), target: targetSchema })).min(1),
  }),
  radius: z.strictObject({ transfer: z.number(), whiteBox: z.number(), shown: z.array(z.number()) }),
  data: z.record(
    z.string(),
    z.strictObject({
      spec: z.string(),
      classes: count,
      reported: dataRefSchema,
      validation: dataRefSchema,
      checks: dataRefSchema.describe("the first reported records, for checks and costly attacks"),
      training: trainingRefSchema
        .extend({
          spec: z.string().describe("data spec of the records to train on"),
          test: z.string().nullable().describe("data spec of the test records; null: those of the archive"),
          images: count.describe("of one epoch"),
        })
        .optional()
        .describe("absent: no network is trained on it"),
    }),
  ),
  networks: z.record(z.string(), networkSchema),
  blocks: z.array(blockSchema).min(1),
  attacks: z.array(studyAttackSchema),
  questions: z.array(z.enum(CLAIMS)).min(1),
  smallest: z.record(z.enum(CLAIMS), z.number()),
  timing: z.boolean(),
});
/** The plan of a study. */
export type StudyPlan = z.infer<typeof studyPlanSchema>;
export type PlannedAttack = StudyPlan["attacks"][number];
