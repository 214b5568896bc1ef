/** @file The index of the zoo: the networks of the study, how each is trained, and what is known
 *  of the finished ones. `zoo/index.json` has this form. */
import { z } from "zod";
import { count, share } from "./numbers.js";
import { GATE_BASELINES } from "./skipping.js";
import { RECIPES } from "./training.js";

/** Groups of networks that a study runs on. `demo`: for examples. `small`: thin networks with three
 * seeds. `paper`: the full networks. */
export const STUDY_TIERS = ["demo", "small", "paper"] as const;
export type StudyTier = (typeof STUDY_TIERS)[number];

/** All groups. `gates`: networks that skip blocks. */
export const TIERS = [...STUDY_TIERS, "gates"] as const;
export type Tier = (typeof TIERS)[number];

/** The data sets that networks of the zoo are trained on. */
export const ZOO_DATA = ["cifar10", "cifar100"] as const;
export type ZooData = (typeof ZOO_DATA)[number];

const answers = z.strictObject({ right: count, count });

/** One training run of a network. The options are those of `dynn train`. */
const runSchema = z.strictObject({
  epochs: count.min(1),
  seed: count,
  threads: count.min(1),
  learningRate: z.number().positive().optional(),
  weightDecay: z.number().min(0).optional(),
  batch: count.min(1).optional(),
  backboneGradient: share.optional(),
  exits: z.string().optional().describe("places of the early exits: auto, percentages of the cost, or names of values"),
  attack: z
    .strictObject({
      radius: share.optional(),
      stepSize: share.optional(),
      steps: count.min(1).optional(),
      weight: share.optional(),
    })
    .optional()
    .describe("recipe adversarial: PGD on the training images, in pixel units [0,1]"),
  gates: z
    .strictObject({ target: share.optional(), weight: z.number().min(0).optional() })
    .optional()
    .describe("recipes of gates: the share of the gated work, and the weight of the loss of gates"),
});
export type ZooRun = z.infer<typeof runSchema>;

/** A network without decisions beside one with gates, on the same test records. */
const baselineSchema = z.strictObject({
  kind: z.enum(GATE_BASELINES),
  about: z.string().describe("how it was made"),
  open: z.array(z.string()).optional().describe("of fixed blocks: the gates that are open for every image"),
  test: answers,
  cost: z.number().min(0).describe("mean cost, as a share of the gated network's full cost"),
  onlyNetwork: count.describe("test records that the gated network alone answers right"),
  onlyBaseline: count.describe("test records that the baseline alone answers right"),
  p: share.describe("McNemar's exact test, two-sided"),
});

/** What the gates of a network do on the test records. */
const gatesSchema = z.strictObject({
  test: answers.describe("right routed answers"),
  cost: share.describe("mean cost, as a share of the full cost"),
  gates: z
    .array(z.strictObject({ name: z.string(), macs: count, openRate: share.nullable() }))
    .min(1)
    .describe("macs: saved when closed; openRate: among the test records that meet the gate; null: none does"),
  baselines: z.array(baselineSchema),
});

/** What is known of a finished network. All numbers are of the file as published. */
const resultSchema = z.strictObject({
  file: z.strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: count,
    packedBytes: count.describe("size of the file after DEFLATE at level 9"),
  }),
  inGit: z.boolean().describe("whether the repository holds the file"),
  parameters: count,
  exits: z
    .array(z.strictObject({ name: z.string(), macs: count, costFraction: share, validation: answers, test: answers }))
    .min(1),
  routed: z
    .array(
      z.strictObject({
        target: z.string().describe("goal of the thresholds, which were chosen on the validation records"),
        thresholds: z.array(z.number()),
        test: answers,
        cost: share.describe("mean cost on the test records, as a share of the final exit's"),
      }),
    )
    .describe("empty for a network with one exit"),
  gates: gatesSchema.optional().describe("absent: the network has no gates"),
  robust: z.array(
    z.strictObject({ attack: z.string(), radius: z.number(), test: answers.describe("right after the attack") }),
  ),
  curve: z.array(z.array(share)).describe("accuracy of each exit on the validation records, an entry for each epoch"),
  training: z.strictObject({
    seconds: z.number().min(0),
    imagesPerSecond: z.number().min(0),
    cpu: z.string(),
    cores: count,
    memoryGiB: z.number().min(0),
  }),
  version: z.string().describe("version of dynn that trained it"),
  remark: z.string().optional(),
});
export type ZooResult = z.infer<typeof resultSchema>;

/** How a network is trained on its data. */
export const networkRecipeSchema = z.strictObject({
  architecture: z.string(),
  width: z.number().positive(),
  recipe: z.enum(RECIPES),
  runs: z.array(runSchema).min(1).describe("each run begins with the weights of the run before"),
});
export type NetworkRecipe = z.infer<typeof networkRecipeSchema>;

/** One network: how it is trained, and what came out. */
const networkSchema = networkRecipeSchema.extend({
  tier: z.enum(TIERS),
  data: z.enum(ZOO_DATA),
  init: z
    .string()
    .nullable()
    .describe("network whose weights the first run begins with; a frozen backbone stays in that network's file"),
  baseline: z
    .string()
    .optional()
    .describe("a static network of about equal cost, which the network with gates is compared with"),
  result: resultSchema.nullable().describe("null: not trained yet"),
});
export type ZooNetwork = z.infer<typeof networkSchema>;

/** Checks an index. */
export const zooIndexSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    data: z.record(z.enum(ZOO_DATA), z.strictObject({ licence: z.string(), source: z.string() })),
    aliases: z.record(z.string(), z.string()).describe("earlier names"),
    networks: z.record(z.string(), networkSchema),
  })
  .superRefine(({ aliases, networks }, context) => {
    for (const [name, { init, baseline }] of Object.entries(networks)) {
      if (!FILE_NAME.test(name))
        context.addIssue({
          code: "custom",
          path: ["networks", name],
          message: "is not a valid name: it may hold a to z, 0 to 9, dots and hyphens",
        });
      for (const [field, other] of Object.entries({ init, baseline }))
        if (typeof other === "string" && !Object.hasOwn(networks, other))
          context.addIssue({
            code: "custom",
            path: ["networks", name, field],
            message: `"${other}" is not in the index`,
          });
    }
    for (const [alias, name] of Object.entries(aliases))
      if (!Object.hasOwn(networks, name))
        context.addIssue({ code: "custom", path: ["aliases", alias], message: `"${name}" is not in the index` });
  });
export type ZooIndex = z.infer<typeof zooIndexSchema>;

/** Names are also names of files and of npm packages. */
const FILE_NAME = /^[a-z0-9][a-z0-9.-]*$/;
