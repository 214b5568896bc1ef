/** @file What a study claims, and what came out. The plan is fixed before the run, and its hash is
 *  what verdicts refer to. The record holds one verdict per claim with all numbers behind it. */
import { z } from "zod";
import { count, share } from "../numbers.js";

const column = z.string().min(1).describe("name of a column in the tables of blocks");

/** How the effect is computed from the tables of blocks. */
export const estimateSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("difference").describe("per block: mean of one column minus mean of another"),
    of: column,
    minus: column,
  }),
  z.object({
    kind: z.literal("log-ratio").describe("per block: log of one yield over another; a yield is a mean per mean"),
    of: z.object({ gain: column, cost: column }),
    to: z.object({ gain: column, cost: column }),
  }),
  z.object({
    kind: z.literal("slope").describe("per block: slope of the columns' means on the block's constants of equal names"),
    columns: z.array(column).min(2),
  }),
  z.object({
    kind: z.literal("regression").describe("over all rows: coefficient of `term`, errors clustered by block"),
    outcome: column,
    term: column,
    others: z.array(column).default([]),
    factors: z.array(z.string()).default([]).describe("factors of blocks that enter as indicators"),
  }),
]);

/** How an effect is stored and written. A share 0.031 is written as "3.1 points", a logarithm 0.18
 * as "1.20×". */
export const SCALES = ["share", "logarithm", "plain"] as const;
export type Scale = (typeof SCALES)[number];

export const endpointSchema = z.object({
  name: z.string().min(1),
  scale: z.enum(SCALES).default("plain").describe("how sentences write the effect"),
  estimate: estimateSchema,
  direction: z.enum(["greater", "less"]).describe("the claimed side of `reference`"),
  reference: z.number().default(0).describe("0, or the margin of a non-inferiority claim"),
  smallest: z
    .number()
    .min(0)
    .default(0)
    .describe("smallest effect of interest, as a distance from `reference`; 0: no verdict of practically nil"),
  sides: z
    .union([z.literal(1), z.literal(2)])
    .default(2)
    .describe("sides of the test"),
});

/** An effect whose place must be as known. Otherwise the experiment could tell nothing. */
export const controlSchema = z.object({
  name: z.string().min(1),
  estimate: estimateSchema,
  side: z.enum(["above", "below"]).describe("where the whole interval must lie"),
  bound: z.number(),
});

export const claimSchema = z.object({
  id: z.string().min(1),
  title: z.string().min(1),
  confirmatory: z.boolean().default(true),
  endpoints: z.array(endpointSchema).min(1).describe("all must pass"),
  controls: z.array(controlSchema).default([]),
  checks: z.array(z.string()).default([]).describe("assay checks without which no verdict counts"),
});

export const claimsPlanSchema = z.object({
  alpha: z.number().gt(0).lt(1).default(0.05),
  level: z.number().gt(0).lt(1).default(0.95).describe("level of all intervals"),
  agreement: share.default(5 / 6).describe("share of cells whose effect must have the claimed sign"),
  draws: z.number().int().min(1).default(10_000).describe("draws of the bootstrap"),
  powerDraws: z.number().int().min(1).default(1000).describe("simulated studies behind a printed power"),
  seed: z.number().int().min(0).default(0),
  claims: z.array(claimSchema).min(1),
});

export const VERDICTS = ["supported", "refuted", "practically-nil", "inconclusive"] as const;

const intervalSchema = z.tuple([z.number(), z.number()]);

/** Two conditions of yes and no on the same samples of one block. */
export const pairsSchema = z.object({
  both: count,
  onlyOf: count.describe("yes under the first condition alone"),
  onlyMinus: count.describe("yes under the second condition alone"),
  neither: count,
  exact: share.describe("McNemar's exact p value"),
  midP: share.describe("McNemar's mid-p value"),
  interval: intervalSchema.describe("Tango's interval of the difference"),
});

export const effectSchema = z.object({
  effect: z.number(),
  error: z.number().min(0).nullable().describe("standard error; null for fewer than two blocks"),
  interval: intervalSchema.nullable().describe("t interval over blocks"),
  test: z.string(),
  p: share.nullable(),
  blocks: z.array(z.object({ id: z.string(), cell: z.string(), value: z.number(), pairs: pairsSchema.optional() })),
  cells: z.array(z.object({ cell: z.string(), value: z.number(), agrees: z.boolean() })),
});

export const endpointRecordSchema = effectSchema.extend({
  name: z.string(),
  scale: z.enum(SCALES),
  direction: z.enum(["greater", "less"]),
  reference: z.number(),
  smallest: z.number(),
  bootstrap: z
    .object({ percentile: intervalSchema, bca: intervalSchema, draws: count })
    .nullable()
    .describe("hierarchical paired bootstrap; it is too short for few blocks, so no verdict rests on it"),
  tTest: share.nullable().describe("p value of the t test on the same numbers, for comparison"),
  equivalence: share.nullable().describe("p value of TOST within the smallest effect"),
  power: share.nullable().describe("chance to find the smallest effect with these blocks and this spread"),
});

/** The detail of a check that was not made. It counts as failed. */
export const NOT_RUN = "it was not run";

export const checkSchema = z.object({ name: z.string(), passed: z.boolean(), detail: z.string() });

export const verdictSchema = z.object({
  id: z.string(),
  title: z.string(),
  confirmatory: z.boolean(),
  verdict: z.enum(VERDICTS),
  reason: z.string().describe("why, in plain words"),
  p: share.nullable().describe("largest p value of the endpoints"),
  adjusted: share.nullable(),
  adjustment: z.enum(["holm", "benjamini-hochberg"]),
  endpoints: z.array(endpointRecordSchema),
  checks: z.array(checkSchema).describe("assay checks and controls"),
});

/** A plan as it is written: what has a default may be left out. */
export type ClaimsPlanInput = z.input<typeof claimsPlanSchema>;
export type ClaimsPlan = z.infer<typeof claimsPlanSchema>;
export type Claim = z.infer<typeof claimSchema>;
export type Endpoint = z.infer<typeof endpointSchema>;
export type Control = z.infer<typeof controlSchema>;
export type EstimateForm = z.infer<typeof estimateSchema>;
export type Pairs = z.infer<typeof pairsSchema>;
export type EffectRecord = z.infer<typeof effectSchema>;
export type EndpointRecord = z.infer<typeof endpointRecordSchema>;
export type Check = z.infer<typeof checkSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
