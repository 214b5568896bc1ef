/** @file What a record says of the gates of a network on clean images: the blocks that ran, the
 *  relation of cost with difficulty, and whether fixed blocks would do as well. Networks without
 *  gates have no such part. */
import { z } from "zod";
import { count, rateSchema, share } from "./numbers.js";

const openRates = z
  .array(share.nullable())
  .describe("per gate: share of the samples that meet it for which it is open; null: no sample meets it");

const intervalSchema = z.object({ value: z.number(), low: z.number(), high: z.number() });

const relationSchema = intervalSchema
  .nullable()
  .describe("Spearman's rank correlation with its 95 % interval; null: one of both does not vary");

const difficultySchema = z.object({
  reference: z.string().describe("the network whose answers say how difficult a sample is"),
  accuracy: rateSchema.describe("of this network's final exit; where it is poor, its margins say little"),
  margin: relationSchema.describe(
    "of cost with minus the margin of the true class; above 0: difficult samples cost more",
  ),
  crossEntropy: relationSchema.describe("of cost with the cross-entropy"),
  quarters: z
    .array(z.object({ samples: count, meanCostFraction: share, accuracy: share }))
    .describe("the routed network on four groups from easy to difficult, by margin; empty for fewer than 4 samples"),
});

/** What the network is compared with. Both kinds of fixed blocks were chosen on validation records:
 * closed one after the other, or the most often open ones. */
export const GATE_BASELINES = ["fixed-blocks", "most-open-blocks", "random-gates", "static"] as const;

/** A network without decisions, and the gated network against it on the same images. */
export const gateBaselineSchema = z.object({
  kind: z.enum(GATE_BASELINES),
  about: z.string().describe("how the baseline was made"),
  open: z.array(z.string()).optional().describe("of fixed blocks: the gates that are open for every image"),
  accuracy: rateSchema,
  meanCostFraction: z.number().min(0).describe("as a share of the gated network's full cost"),
  onlyNetwork: count.describe("samples that the gated network alone answers right"),
  onlyBaseline: count.describe("samples that the baseline alone answers right"),
  gain: intervalSchema.describe("accuracy of the gated network minus that of the baseline, Tango's 95 % interval"),
  p: share.describe("McNemar's exact test that both are equally accurate, two-sided"),
});
export type GateBaseline = z.infer<typeof gateBaselineSchema>;

/** Networks without decisions beside a gated one. */
export const gateBaselinesSchema = z.object({
  samples: count.describe("samples that all networks answered"),
  accuracy: rateSchema.describe("of the gated network on them"),
  meanCostFraction: share,
  openRates,
  validation: z
    .object({ name: z.string(), samples: count })
    .describe("records on which fixed blocks and rates were chosen; none is among the samples"),
  compared: z.array(gateBaselineSchema),
});
export type GateBaselines = z.infer<typeof gateBaselinesSchema>;

/** What the gates did. */
export const skippingSchema = z.object({
  executed: z
    .object({
      counts: z.array(count).describe("samples that ran 0, 1, 2, ... of the blocks with a gate"),
      mean: z.number().min(0),
      sd: z.number().min(0).describe("standard deviation with n - 1"),
      p95: z.number().min(0).describe("95th percentile"),
    })
    .describe("blocks with a gate that ran for a sample"),
  byClass: z
    .array(
      z.object({ label: count, samples: count, openRates, meanBlocks: z.number().min(0), meanCostFraction: share }),
    )
    .describe("one entry for each class that occurs"),
  pathEntropy: z.number().min(0).describe("entropy of the paths, in bits"),
  dynamicShare: share.describe("share of the gates whose open rate lies between 0.02 and 0.98"),
  difficulty: z.array(difficultySchema).describe("the network with all gates open first, then the baseline if given"),
  answers: z
    .object({
      right: share.nullable().describe("mean cost of right answers; null: none is right"),
      wrong: share.nullable().describe("mean cost of wrong answers; null: none is wrong"),
      difference: intervalSchema
        .nullable()
        .describe("wrong minus right, with its 95 % bootstrap interval; null for fewer than 20 of either"),
    })
    .describe("mean cost of the routed answers, as a share of the full cost"),
  baselines: gateBaselinesSchema.optional().describe("absent: not asked for"),
});
export type SkippingRecord = z.infer<typeof skippingSchema>;
export type DifficultyRecord = z.infer<typeof difficultySchema>;
