/** @file The audit record, which `dynn audit --json` writes and the report draws. It is a versioned
 *  contract. A version can gain fields. When a field changes its meaning or is removed,
 *  `schemaVersion` rises. docs/audit-json.md explains the fields. */
import { z } from "zod";
import { memoryFields } from "./batch.js";
import { digestSchema, madeFields } from "./made.js";
import { normSchema } from "./norm.js";
import { count, notesSchema, rateSchema, share, toolSchema, warningsSchema } from "./numbers.js";
import { policySchema } from "./policy.js";
import { readingFields } from "./reading.js";
import { skippingSchema } from "./skipping.js";
import { gateFields } from "./units.js";

/** Version of the audit record. */
export const SCHEMA_VERSION = 2;

const routedSchema = z.object({
  accuracy: share.describe("share of samples whose routed answer is the true label"),
  meanCostFraction: share.describe("mean cost, as a share of the full network's MACs"),
  exitCounts: z.array(count).describe("samples whose work stops at each exit"),
  paths: z
    .object({
      openRates: z
        .array(share.nullable())
        .describe("per gate: the share of the samples that meet it for which it is open; null: no sample meets it"),
      distinct: count.describe("different paths: the exit taken and the bits of the gates before it"),
      costs: z
        .array(z.object({ costFraction: share, samples: count }))
        .describe("samples of each cost, by rising cost; the EEC curve"),
    })
    .optional()
    .describe("absent: the network has no gates"),
});

const modelSchema = z.object({
  name: z.string(),
  sha256: digestSchema,
  classes: z.array(z.string()).optional(),
  input: z.array(z.union([z.string(), z.number()])),
  parameters: count,
  inputScale: readingFields.inputScale,
  exits: z.array(z.object({ name: z.string(), macs: z.number().min(0), costFraction: share })).min(1),
  gates: gateFields.gates,
  changes: readingFields.changes,
  quantization: readingFields.quantization,
});

const dataSchema = z.object({
  name: z.string(),
  samples: count,
  seed: z.number().int(),
  validation: z
    .object({ name: z.string(), samples: count })
    .optional()
    .describe("the split on which thresholds were chosen; never overlaps the reported samples"),
  notes: notesSchema,
});

const overthinkingSchema = z.object({
  wasteful: share.describe("right at the taken exit and at an earlier one"),
  destructive: share.describe("right at some exit, wrong at the final one"),
});

const confusionSchema = z.object({
  right: z.number().nullable().describe("mean of samples that the final exit answers right; null: there are none"),
  wrong: z.number().nullable().describe("mean of samples that it answers wrong; null: there are none"),
});

/** No answer was right before the attack, so a robust accuracy of 0 says nothing. */
export const NONE_RIGHT = "no sample was right when clean";
/** The success of the attack held before it. */
export const ALL_WON = "every clean sample met the goal of the attack already";

/** Why an attack had nothing to attack. */
export const nothingSchema = z
  .enum([NONE_RIGHT, ALL_WON])
  .optional()
  .describe("why there was nothing to attack; rates over no samples then have the value 0 and say nothing");

const spreadSchema = z.object({
  mean: z.number(),
  deviation: z.number().min(0).describe("standard deviation, with the divisor seeds - 1"),
  low: z.number().describe("lower end of the 95 % interval of the mean, by Student's t"),
  high: z.number().describe("upper end"),
  values: z.array(z.number()).describe("one per seed"),
});

const seedsSchema = z
  .object({
    seeds: z.array(count).min(2).describe("the first is the seed of the other fields of the attack"),
    robustAccuracy: spreadSchema,
    successRate: spreadSchema,
    success8bit: spreadSchema,
    routedAccuracy: spreadSchema,
    meanCostFraction: spreadSchema,
    seconds: z.number().min(0).describe("of all seeds together"),
  })
  .optional()
  .describe("the spread over the seeds of the attack; absent: it ran with one seed");

const worstCaseSchema = z.object({
  norm: normSchema,
  radius: z.number().min(0).describe("pixel units"),
  attacks: z
    .array(z.string())
    .describe("attacks that searched within this budget, and others that broke an answer within it"),
  answers: z.array(
    z.object({
      answer: z.string().describe("routed, or the name of an exit"),
      standing: count.describe("samples whose answer is right on the clean image and on each image within the budget"),
      robustAccuracy: rateSchema.describe("the same as a share of all samples"),
    }),
  ),
});

const attackSchema = z.object({
  name: z.string(),
  goal: z.string().describe("what the attack is after, such as misclassify:final or slowdown"),
  method: z.string().describe("how it searches, such as pgd"),
  access: z.enum(["gradient", "scores", "label", "cost"]).describe("what the attacker sees of the model"),
  surrogates: z
    .array(z.string())
    .optional()
    .describe("the networks that the attack searched on; absent when it searched on the audited one"),
  norm: normSchema,
  radius: z.number().min(0).nullable().describe("pixel units (inputs in [0,1]); null when the attack has no radius"),
  parameters: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .describe("all other parameters of the attack"),
  answer: z.string().describe("the answer that robustAccuracy judges: the name of an exit, or routed"),
  samples: count,
  eligible: count.describe(
    "samples the attack could win: its success did not hold already on the clean image (early:published counts all)",
  ),
  robustAccuracy: rateSchema.describe("samples whose answer is still right after the attack, among all samples"),
  nothingToAttack: nothingSchema,
  successRate: rateSchema.describe("attack successes among the eligible samples"),
  success8bit: rateSchema.describe("the same after rounding the images to 8 bits"),
  successes: count.describe("successes among the eligible samples"),
  accuracyPerExit: z.array(share),
  routed: routedSchema,
  efficacy: share.describe("area under the EEC curve, trapezoid as in DeepSloth"),
  efficacyStep: share.describe("area under the exact step curve: 1 - mean cost fraction"),
  l2Mean: z
    .number()
    .min(0)
    .nullable()
    .describe("mean L2 norm of the successful perturbations, pixel units; null without success"),
  linfMax: z
    .number()
    .min(0)
    .nullable()
    .describe("largest Linf norm of the successful perturbations; null without success"),
  normMedian: z
    .number()
    .min(0)
    .nullable()
    .describe(
      "median distance in the attack's norm over the samples that were right when clean; a failure counts as infinity; null when infinite",
    ),
  normMean: z.number().min(0).nullable().describe("mean of the same distances; null when one is infinite"),
  early: z
    .object({
      labels: rateSchema.describe(
        "label of the full network kept and every early label changed; with gates, the final label too",
      ),
      firing: rateSchema.describe(
        "label of the full network kept and an early exit fires with another label under the policy; with gates, the routed answer is another label",
      ),
      alreadyDisagree: count.describe(
        "samples whose early exits all disagree with the full network when clean; with gates, the final exit too",
      ),
      full: z
        .object({
          accuracy: rateSchema.describe(
            "of the full network on the clean samples; where it is poor, its label says little",
          ),
          attacked: rateSchema.describe("of the full network on the attacked samples"),
          disagreement: rateSchema.describe("clean samples whose routed answer is not that of the full network"),
        })
        .optional()
        .describe("the network with every gate open that the policy does not force closed; absent: no gates"),
    })
    .optional(),
  gates: z
    .object({
      changed: share
        .nullable()
        .describe("share of gates that the attack opened or closed, among those that both images meet"),
      recovery: z
        .object({ value: z.number(), low: z.number(), high: z.number() })
        .nullable()
        .describe(
          "(cost attacked - cost clean) / (cost full - cost clean) of mean costs in MACs, with a 95 % bootstrap interval; below 0: the attack saves work; null: undefined",
        ),
      noRecovery: z.string().optional().describe("why the recovery is undefined"),
    })
    .optional()
    .describe("the effect on the gates of the network; absent: it has none"),
  gradientEvaluations: count.describe("gradients of single samples"),
  queries: count.describe("images that the network evaluated for the attack"),
  queriesMedian: z
    .number()
    .nullable()
    .describe("median number of images evaluated up to the first success, over the samples with one; null without one"),
  queryQuartiles: z.tuple([z.number(), z.number()]).nullable().describe("first and third quartile of the same numbers"),
  macs: z
    .object({ forward: z.number().min(0), backward: z.number().min(0) })
    .describe("MACs that the attack executed: a node-by-node count of the graphs that ran"),
  macsToSuccess: z
    .number()
    .nullable()
    .describe("median MACs up to the first success, over the samples with one; null without one"),
  health: z
    .array(z.object({ flag: z.string(), share: share.nullable(), meaning: z.string() }))
    .describe("signs that the attack is weaker than it looks; share of the samples that show the sign"),
  perSample: z
    .array(
      z.object({
        sample: count.describe("record number"),
        label: count.describe("label of the judged answer on the clean image"),
        success: z.boolean(),
        norm: z.number().min(0).describe("distance of the image in the attack's norm"),
        queries: count.describe("images evaluated"),
        gates: z
          .string()
          .optional()
          .describe("bits of the gates on the attacked image: 1 open, 0 closed, - behind the exit taken"),
        costFraction: share.optional().describe("cost of the attacked image; absent, as gates, without gates"),
      }),
    )
    .optional()
    .describe("one entry per attacked sample, on request"),
  seeds: seedsSchema,
  vanishedGradients: count
    .optional()
    .describe(
      "samples with a gradient of 0 or below float32's resolution at an image that was no success; robustAccuracy may be too high",
    ),
  retriedOnMargins: z
    .boolean()
    .optional()
    .describe(
      "whether samples with vanished gradients were attacked again with the margin loss and with cross-entropy of scaled logits",
    ),
  seconds: z.number().min(0),
});

const curveSchema = z.object({
  name: z.string(),
  norm: normSchema,
  vanishedGradients: count.optional().describe("samples with a vanished gradient at any radius, as in attacks"),
  nothingToAttack: nothingSchema,
  points: z
    .array(z.object({ radius: z.number().min(0), robustAccuracy: rateSchema }))
    .min(1)
    .describe("by rising radius, from 0 (clean)"),
});

/** Checks and types the record of an audit. */
export const auditRecordSchema = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  tool: toolSchema,
  ...madeFields,
  model: modelSchema,
  data: dataSchema,
  warnings: warningsSchema,
  ...memoryFields,
  clean: z.object({
    accuracyPerExit: z.array(share),
    accuracyIntervals: z.array(rateSchema),
    routed: routedSchema.extend(policySchema.shape),
    efficacy: share,
    efficacyStep: share,
    overthinking: overthinkingSchema,
    underthinking: share
      .optional()
      .describe("stopped at a wrong early exit, while the final exit is right; absent in records of earlier releases"),
    confusion: confusionSchema
      .optional()
      .describe("disagreement of the exits, in standard deviations; absent in records of earlier releases"),
    skipping: skippingSchema.optional().describe("what the gates did; absent: the network has no gates"),
  }),
  attacks: z.array(attackSchema),
  worstCase: z
    .array(worstCaseSchema)
    .optional()
    .describe("samples that resist every attack, per budget; absent where no attack has a radius"),
  curves: z.array(curveSchema),
  seconds: z.number().min(0),
});

export type RoutedRecord = z.infer<typeof routedSchema>;
export type AttackRecord = z.infer<typeof attackSchema>;
export type CurveRecord = z.infer<typeof curveSchema>;
/** The record of an audit. docs/audit-json.md explains every field. */
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** One adversarial image for the report. Pixels are 8-bit, interleaved RGB (or grey), row by
 * row. */
export interface GalleryItem {
  /** Name of the attack. */
  readonly attack: string;
  /** Id of the sample. */
  readonly sample: number;
  /** True class. */
  readonly label: number;
  /** Columns of the image. */
  readonly width: number;
  /** Rows of the image. */
  readonly height: number;
  /** 1 for grey, 3 for RGB. */
  readonly channels: 1 | 3;
  /** The clean image. */
  readonly original: Uint8Array;
  /** The attacked image. */
  readonly adversarial: Uint8Array;
  /** Adversarial minus original, centred on 128 and magnified. */
  readonly difference: Uint8Array;
  /** Factor of the difference. */
  readonly magnification: number;
  /** L2 distance, in pixel units. */
  readonly l2: number;
  /** Linf distance, in pixel units. */
  readonly linf: number;
  /** The network's answers for the clean image. */
  readonly clean: ExitView;
  /** The network's answers for the attacked image. */
  readonly attacked: ExitView;
}

/** The answers of the exits for one image. */
export interface ExitView {
  /** Label of each exit. */
  readonly labels: readonly number[];
  /** Largest softmax probability of each exit. */
  readonly confidences: readonly number[];
  /** Exit where the work stops. */
  readonly stop: number;
  /** Label of the routed answer. */
  readonly answer: number;
}
