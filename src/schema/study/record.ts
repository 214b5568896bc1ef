/** @file The record of a study: verdicts, and the numbers of every figure and table of its report.
 *  `dynn study report` draws it. docs/study-record.md explains the fields. */
import { z } from "zod";
import { count, rateSchema, share, toolSchema } from "../numbers.js";
import { policySchema } from "../policy.js";
import { gateFields } from "../units.js";
import { checkSchema, SCALES, VERDICTS } from "./claims.js";

/** Version of the record. Version 1 had effects of transfer without intervals. */
export const STUDY_RECORD_VERSION = 2;

/** The claims that a study can judge. Source: docs/study.md, section "Questions". */
export const CLAIMS = ["C0", "C1", "C2", "C3", "C4", "C5"] as const;
export type Claim = (typeof CLAIMS)[number];

/** The parts that a network can have in a block. */
export const ROLES = [
  "static",
  "joint",
  "ic-only",
  "dense",
  "dense-joint",
  // The gradient of the heads into the backbone is scaled by this factor.
  "dense-joint-g0.1",
  "dense-joint-g0.3",
  "small-static",
  // Skips blocks. Its training begins with the static network.
  "gates",
] as const;
export type Role = (typeof ROLES)[number];

/** How two networks are related. Claims about black boxes leave out those that share weights. */
export const KINSHIPS = ["same", "shared", "same-arch", "cross-arch"] as const;
export type Kinship = (typeof KINSHIPS)[number];

/** A number with its 95 % interval. Null where it cannot be computed. */
export const estimateSchema = z.strictObject({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});
export type Estimate = z.infer<typeof estimateSchema>;

export type StudyCheck = z.infer<typeof checkSchema>;

const verdictSchema = z.strictObject({
  claim: z.enum(CLAIMS),
  statement: z.string(),
  source: z.string(),
  endpoint: z.string().describe("what is measured in each block"),
  unit: z.string(),
  scale: z
    .enum(SCALES)
    .optional()
    .describe("how effects of this claim are stored; logarithm: the natural one of a ratio; absent: plain"),
  smallest: z.number().describe("smallest effect of interest, on the scale of the effect"),
  verdict: z.enum(VERDICTS),
  effect: estimateSchema.nullable().describe("null: no block could be measured"),
  test: z.string().describe("name of the test"),
  p: z.number().nullable(),
  adjusted: z.number().nullable().describe("p after Holm over the claims of the plan"),
  blocks: count,
  cells: z.strictObject({ agree: count, all: count }).describe("cells whose effect has the claimed sign"),
  power: z.number().nullable().describe("chance to find the smallest effect with these blocks and their spread"),
  reason: z.string().describe("why this verdict, in one or two sentences"),
  checks: z.array(checkSchema),
  paper: z.string().describe('what the paper reports; "unknown" until someone fills it in'),
});
export type StudyVerdict = z.infer<typeof verdictSchema>;

const networkSchema = z.strictObject({
  name: z.string(),
  spec: z.string(),
  sha256: z.string(),
  block: z.string(),
  role: z.enum(ROLES),
  parameters: count,
  exits: z.array(z.strictObject({ name: z.string(), macs: count, costFraction: share, accuracy: rateSchema })).min(1),
  ...gateFields,
  policy: policySchema,
  routed: rateSchema.describe("accuracy of the routed answer"),
  cost: share.describe("mean cost as a share of the full network's"),
});

const blockSchema = z.strictObject({
  name: z.string(),
  cell: z.string().describe("architecture and data set"),
  architecture: z.string(),
  data: z.string(),
  seed: count,
  missing: z.array(z.strictObject({ role: z.enum(ROLES), network: z.string() })),
});

const attackSchema = z.strictObject({
  name: z.string(),
  goal: z.string(),
  method: z.string(),
  norm: z.string(),
  radius: z.number().nullable().describe("pixel units"),
  family: z.enum(["fixed budget", "minimum norm", "slowdown", "control", "query"]),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
});

const cellSchema = z.strictObject({
  claim: z.enum(CLAIMS),
  cell: z.string(),
  blocks: count,
  effect: estimateSchema,
});

/** White-box success on the static and on the dynamic network of a block. */
const robustnessRow = z.strictObject({
  block: z.string(),
  eligible: count,
  radius: z.number(),
  static: rateSchema,
  routed: rateSchema.describe("routed answer of the dynamic network"),
  final: rateSchema.describe("final exit of the dynamic network alone"),
  both: count.describe("samples that fall on both networks"),
  onlyStatic: count,
  onlyRouted: count,
  exact: z.number().describe("p of the exact McNemar test"),
  difference: estimateSchema.describe("static minus routed"),
});

/** Success of transfer from each network to each other, for one attack at one radius. */
const transferMatrix = z.strictObject({
  data: z.string(),
  attack: z.string(),
  radius: z.number().nullable(),
  surrogates: z.array(z.string()),
  targets: z.array(z.string()),
  success: z.array(z.array(rateSchema.nullable())).describe("row: surrogate, column: target"),
  kinship: z.array(z.array(z.enum(KINSHIPS))),
  eligible: count,
});

const effectFields = {
  attack: z.string(),
  objective: z.string().describe("goal on the dynamic surrogate"),
  radius: z.number().nullable(),
  asymmetry: estimateSchema.describe("T(D to S') minus T(S to D')"),
  surrogate: estimateSchema.nullable().describe("T(D to S') minus T(S to S')"),
  target: estimateSchema.nullable().describe("T(S to S') minus T(S to D')"),
};
const transferEffects = z.strictObject({ block: z.string(), ...effectFields });
const overallEffects = z.strictObject({ ...effectFields, blocks: count });

/** Adversarial samples against the work of the attack. */
const yieldCurve = z.strictObject({
  block: z.string(),
  surrogate: z.string().describe("static, dynamic routed, pruned at an exit, or small static"),
  perTeraMac: z.number().nullable().describe("samples adversarial for the targets per 10^12 MACs; null: no target"),
  perSecond: z.number().nullable(),
  censored: count.describe("samples without a success"),
  samples: count,
  points: z
    .array(z.strictObject({ macs: z.number(), remaining: share }))
    .describe("Kaplan-Meier: share without success"),
});

/** The change of cost under attack. */
const costShift = z.strictObject({
  block: z.string(),
  attack: z.string(),
  family: attackSchema.shape.family,
  samples: count,
  shift: estimateSchema.describe("mean change of the cost fraction"),
  fooled: z.number().nullable().describe("mean change among samples whose answer changed"),
  kept: z.number().nullable().describe("mean change among samples whose answer stayed"),
  milliseconds: estimateSchema.nullable().describe("mean change of the measured time"),
  p99: z.number().nullable().describe("99th percentile of the measured time, as a ratio to clean images"),
});

/** Label changes against the place of the first exit. */
const firstExitCurve = z.strictObject({
  block: z.string(),
  scenario: z.enum(["within", "across"]).describe("within: the attack sees the network; across: it sees another one"),
  target: z.string().describe("goal of the thresholds"),
  slope: z.number().nullable().describe("change of the share per factor of 10 in the cost of the first exit"),
  points: z.array(
    z.strictObject({
      exit: z.string(),
      costFraction: share,
      changed: rateSchema.describe("samples whose routed label changed"),
      exposure: share.describe("P(the first exit fires)"),
      vulnerability: z.number().nullable().describe("P(changed given that the first exit fires)"),
    }),
  ),
});

/** The early attack on one set of exits of one network. */
const earlyRow = z.strictObject({
  block: z.string(),
  network: z.string(),
  role: z.enum(ROLES),
  exits: z.array(z.string()).describe("the early exits that must change"),
  lastExit: share.describe("cost of the last early exit"),
  dependency: z.number().nullable().describe("P(exit j flips | the attack is made on exit k alone), mean over k"),
  sparsity: z.number().describe("share of the legal cuts that have no exit"),
  gap: share.describe("largest gap in cost between two exits"),
  samples: count,
  successes: count.describe("before images are rounded to 8 bits"),
  firing: share
    .nullable()
    .describe("successes whose changed label is the routed answer; null: no success, or gates ask their scores"),
  medianNorm: z.number().nullable().describe("median L2 to success; null when fewer than half succeed"),
  survival: z.array(z.strictObject({ norm: z.number(), remaining: share })).describe("share without success"),
});

const coefficientSchema = z.strictObject({
  name: z.string(),
  value: z.number(),
  error: z.number(),
  p: z.number(),
});

const questionsSchema = z.strictObject({
  robustness: z.array(robustnessRow),
  transfer: z.strictObject({
    matrices: z.array(transferMatrix),
    effects: z.array(transferEffects).describe("intervals are those of the samples of the block"),
    overall: z.array(overallEffects).describe("means over blocks; intervals are those of t over blocks"),
  }),
  yield: z.array(yieldCurve),
  cost: z.array(costShift),
  firstExit: z.array(firstExitCurve),
  early: z.strictObject({ rows: z.array(earlyRow), coefficients: z.array(coefficientSchema) }),
});

const notRunSchema = z.strictObject({ what: z.string(), why: z.string() });

/** Checks and types the record. */
export const studyRecordSchema = z.strictObject({
  schemaVersion: z.literal(STUDY_RECORD_VERSION),
  tool: toolSchema,
  name: z.string(),
  tier: z.string().nullable(),
  plan: z.strictObject({
    sha256: z.string(),
    edited: z.boolean().describe("whether the plan differs from the one that the study began with"),
    text: z.string().describe("the plan as JSON"),
  }),
  seed: count,
  radius: z
    .strictObject({
      primary: z.number(),
      all: z.array(z.number()),
      whiteBox: z.number().optional().describe("of the white-box endpoint; absent: the primary one"),
    })
    .describe("pixel units"),
  data: z.array(z.strictObject({ name: z.string(), samples: count, validation: count, classes: count })),
  networks: z.array(networkSchema),
  blocks: z.array(blockSchema),
  attacks: z.array(attackSchema),
  verdicts: z.array(verdictSchema),
  cells: z.array(cellSchema).describe("effects by cell, for the forest plot"),
  questions: questionsSchema,
  exploratory: z
    .strictObject({
      questions: questionsSchema,
      checks: z.array(checkSchema).describe("of the attacks on networks with gates"),
    })
    .optional()
    .describe(
      "the same questions with the networks that skip blocks in place of the joint ones; no verdict reads them; absent: the study has no such network",
    ),
  notRun: z.array(notRunSchema),
  environment: z
    .strictObject({ versions: z.array(z.string()), machines: z.array(z.string()), seconds: z.number() })
    .describe("of the tasks, from their manifests"),
});

/** The record of a study. */
export type StudyRecord = z.infer<typeof studyRecordSchema>;
export type TransferMatrix = z.infer<typeof transferMatrix>;
export type TransferEffects = z.infer<typeof transferEffects>;
export type OverallEffects = z.infer<typeof overallEffects>;
export type RobustnessRow = z.infer<typeof robustnessRow>;
export type YieldCurve = z.infer<typeof yieldCurve>;
export type CostShift = z.infer<typeof costShift>;
export type FirstExitCurve = z.infer<typeof firstExitCurve>;
export type EarlyRow = z.infer<typeof earlyRow>;
/** The results of the questions of a study. */
export type QuestionResults = z.infer<typeof questionsSchema>;
export type StudyAttack = z.infer<typeof attackSchema>;
export type AttackFamily = StudyAttack["family"];
