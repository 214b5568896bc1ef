/** @file The study file, which a user writes in YAML: networks in blocks, data, attacks, questions.
 *  docs/study-file.md explains the fields. */
import { z } from "zod";
import { count } from "../numbers.js";
import { FALLBACKS, RULES } from "../policy.js";
import { networkRecipeSchema } from "../zoo.js";
import { CLAIMS, ROLES } from "./record.js";

const quantity = z.union([z.number(), z.string()]);

/** What the images of an attack are used for. */
export const USES = ["white-box", "transfer", "yield", "cost", "control", "slowdown", "early", "check"] as const;
export type Use = (typeof USES)[number];

/** An attack with the questions that use it. Fields beyond these are those of an attack file. */
export const studyAttackSchema = z
  .looseObject({
    name: z.string().min(1),
    on: z.enum(["static", "dynamic", "any"]).default("any").describe("the networks that it is made on"),
    uses: z.array(z.enum(USES)).min(1).describe("the questions that read its images"),
  })
  .describe("an attack: the fields of an attack file, with `on` and `uses`");

const blockSchema = z.strictObject({
  name: z.string().optional().describe("default: CELL-sSEED"),
  cell: z.string().describe("what blocks of other seeds share: architecture and data"),
  architecture: z.string().optional().describe("default: the cell's name"),
  seed: count.default(1),
  data: z.string().describe("name of the data set"),
  networks: z
    .partialRecord(z.enum(ROLES), z.string())
    .describe("path, zoo:NAME or recipe:NAME of each network, by its part"),
});

const recipeSchema = networkRecipeSchema.extend({
  width: z.number().positive().default(1),
  data: z.string().describe("name of the data set that it is trained on"),
  init: z
    .string()
    .optional()
    .describe("recipe:NAME, zoo:NAME or path of the network whose weights the first run begins with"),
});
/** How a network of a study file is trained. */
export type StudyRecipe = z.infer<typeof recipeSchema>;

/** Checks a study file. */
export const studyFileSchema = z.strictObject({
  schemaVersion: z.literal(1).default(1),
  name: z.string().min(1),
  seed: count.default(0),
  samples: count.min(1).default(500).describe("records that are attacked, from the first on"),
  validation: count.min(50).default(1000).describe("records on which thresholds are chosen"),
  checkSamples: count.min(1).default(100).describe("records of checks and of the costly attacks"),
  policy: z
    .strictObject({
      rule: z.enum(RULES).default("max-softmax"),
      fallback: z.enum(FALLBACKS).default("final"),
      primary: z.string().default("rad:5%"),
      secondary: z.string().default("budget:50%"),
    })
    .prefault({}),
  radius: z
    .strictObject({
      transfer: quantity.default("4/255").describe("of attacks on other networks"),
      whiteBox: quantity.default("1/255").describe("of attacks on the network itself"),
      shown: z.array(quantity).default(["2/255", "8/255"]).describe("shown beside them"),
    })
    .prefault({}),
  data: z.record(
    z.string(),
    z.strictObject({
      records: z.string().describe("data spec"),
      training: z
        .string()
        .optional()
        .describe("data spec of the records that networks are trained on; default for CIFAR: its training records"),
    }),
  ),
  train: z.boolean().default(false).describe("whether the study trains networks that do not exist yet"),
  recipes: z.record(z.string(), recipeSchema).prefault({}).describe("networks that the study trains, by name"),
  blocks: z.array(blockSchema).min(1),
  attacks: z.array(studyAttackSchema).optional().describe("default: the battery of docs/study.md"),
  questions: z
    .array(z.enum(CLAIMS))
    .min(1)
    .default([...CLAIMS])
    .describe("the claims to judge"),
  smallest: z.partialRecord(z.enum(CLAIMS), z.number()).prefault({}).describe("smallest effect of interest, by claim"),
  timing: z.boolean().default(true).describe("whether times are measured too"),
});
/** A study file with its defaults. */
export type StudyFile = z.infer<typeof studyFileSchema>;
/** A study file as it is written. */
export type StudyFileInput = z.input<typeof studyFileSchema>;
