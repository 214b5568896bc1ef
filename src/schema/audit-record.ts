/** @file The audit record: what `dynn audit --json` writes and the report draws. A versioned contract.
 *  Fields may be added within a version; a field that changes meaning or goes away raises `schemaVersion`.
 *  Read by: studies (writes it), report (draws it), docs/audit-json.md (explains it). */
import { z } from "zod";
import { normSchema } from "./norm.js";
import { count, rateSchema, share, toolSchema } from "./numbers.js";
import { policySchema } from "./policy.js";

/** Version of the audit's record. */
export const SCHEMA_VERSION = 1;

const routedSchema = z.object({
  accuracy: share.describe("share of samples whose routed answer is the true label"),
  meanCostFraction: share.describe("mean cost, as a share of the full network's MACs"),
  exitCounts: z.array(count).describe("samples whose work stops at each exit"),
});

const modelSchema = z.object({
  name: z.string(),
  classes: z.array(z.string()).optional(),
  input: z.array(z.union([z.string(), z.number()])),
  parameters: count,
  inputScale: z.literal(255).optional().describe("the file takes pixels in 0 to 255; radii are for pixels in [0,1]"),
  exits: z.array(z.object({ name: z.string(), macs: z.number().min(0), costFraction: share })).min(1),
});

const dataSchema = z.object({
  name: z.string(),
  samples: count,
  seed: z.number().int(),
  validation: z
    .object({ name: z.string(), samples: count })
    .optional()
    .describe("the split that thresholds were chosen on; never overlaps the samples reported"),
});

const overthinkingSchema = z.object({
  wasteful: share.describe("right at an exit before the one taken, and right there too"),
  destructive: share.describe("right at some exit, wrong at the final one"),
});

const attackSchema = z.object({
  name: z.string(),
  objective: z.string(),
  optimizer: z.string().describe("fgsm, pgd, adam-tanh, or the name of an optimizer from outside"),
  norm: normSchema,
  radius: z.number().min(0).nullable().describe("pixel units (inputs in [0,1]); null when the attack has no radius"),
  parameters: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .describe("everything else that fixes the attack"),
  answer: z.string().describe("whose label robustAccuracy judges: the name of an exit, or routed"),
  samples: count,
  eligible: count.describe(
    "samples the attack could win: its success did not hold already on the clean image (early:published counts all)",
  ),
  robustAccuracy: rateSchema.describe("samples whose answer is still right after the attack, among all samples"),
  successRate: rateSchema.describe("attack successes among the eligible samples"),
  success8bit: rateSchema.describe("the same after rounding the images to 8 bits"),
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
  early: z
    .object({
      labels: rateSchema.describe("final label kept and every early label changed"),
      firing: rateSchema.describe("final label kept and an early exit fires with another label under the policy"),
      alreadyDisagree: count.describe("samples whose early exits all disagree with the final exit when clean"),
    })
    .optional(),
  gradientEvaluations: count.describe("gradients of single samples"),
  vanishedGradients: count
    .optional()
    .describe(
      "samples with a gradient of 0 or below float32's resolution at an image that was no success; robustAccuracy may be too high",
    ),
  retriedOnMargins: z
    .boolean()
    .optional()
    .describe("whether samples with vanished gradients were attacked once more with the margin loss"),
  seconds: z.number().min(0),
});

const curveSchema = z.object({
  name: z.string(),
  norm: normSchema,
  vanishedGradients: count.optional().describe("samples with a vanished gradient at any radius, as in attacks"),
  points: z
    .array(z.object({ radius: z.number().min(0), robustAccuracy: rateSchema }))
    .min(1)
    .describe("by rising radius, from 0 (clean)"),
});

/** Checks and types the record of an audit. */
export const auditRecordSchema = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  tool: toolSchema,
  model: modelSchema,
  data: dataSchema,
  clean: z.object({
    accuracyPerExit: z.array(share),
    accuracyIntervals: z.array(rateSchema),
    routed: routedSchema.extend(policySchema.shape),
    efficacy: share,
    efficacyStep: share,
    overthinking: overthinkingSchema,
  }),
  attacks: z.array(attackSchema),
  curves: z.array(curveSchema),
  seconds: z.number().min(0),
});

export type RoutedRecord = z.infer<typeof routedSchema>;
export type AttackRecord = z.infer<typeof attackSchema>;
export type CurveRecord = z.infer<typeof curveSchema>;
/** The record of an audit. docs/audit-json.md explains every field. */
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** One adversarial image as the report shows it. Pixels are 8-bit, interleaved RGB (or grey), row by row. */
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
  /** 1 grey, 3 RGB. */
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
  /** What the network says before and after. */
  readonly clean: ExitView;
  /** What the network says after. */
  readonly attacked: ExitView;
}

/** What the exits say of one image. */
export interface ExitView {
  /** Label of each exit. */
  readonly labels: readonly number[];
  /** Its largest softmax probability. */
  readonly confidences: readonly number[];
  /** Exit where the work stops. */
  readonly stop: number;
  /** Label of the routed answer. */
  readonly answer: number;
}
