/** @file Completes the choices of a user to a whole configuration, with tables of defaults per
 *  recipe, optimizer and schedule. Sources: docs/method.md section 2 (Kaya et al. 2019); schedules
 *  Smith 2018; adversarial Madry et al. 2018; distillation Hinton et al. 2015; learning rate in
 *  proportion to the batch: Goyal et al. 2017. */
import { DynnError } from "../../core/errors.js";
import { NO_AUGMENTATION } from "../../data/augment.js";
import { isRadius } from "../../perturb/norms.js";
import { RECIPE_DEFINITIONS, type Recipe, type RecipeDefinition } from "../../schema/training.js";
import type {
  AdversarialConfig,
  AugmentConfig,
  DistillConfig,
  ExitWeights,
  GateBudgetConfig,
  GatesConfig,
  OptimizerConfig,
  PonderConfig,
  ScheduleConfig,
  TrainingConfig,
} from "./config.js";

export type OptimizerKind = OptimizerConfig["kind"];
export type ScheduleKind = ScheduleConfig["kind"];

/** The defaults of a recipe. */
export interface RecipeDefaults {
  /** Places of early exits, in the form that `parseExits` reads. */
  readonly exits: string;
  readonly epochs: number;
  readonly optimizer: OptimizerKind;
  readonly schedule: ScheduleKind;
  readonly augment: boolean;
  readonly exitWeights: "ramp" | "equal";
  /** Highest learning rate and weight decay of SGD, where they are not the optimizer's. */
  readonly sgd?: { readonly peak: number; readonly decay: number };
  readonly about: string;
}

const PLACES = "15,30,45,60,75,90";
const WHOLE_NETWORK = {
  epochs: 15,
  optimizer: "sgd",
  schedule: "one-cycle",
  augment: true,
  exitWeights: "ramp",
} as const;
const HEADS_ALONE = {
  exits: PLACES,
  epochs: 10,
  optimizer: "adam",
  schedule: "cosine",
  augment: false,
  exitWeights: "equal",
} as const;

const TRAINED_FURTHER = {
  ...WHOLE_NETWORK,
  exits: "none",
  epochs: 12,
  sgd: { peak: 0.05, decay: 5e-4 },
} as const;

export const RECIPE_DEFAULTS: Readonly<Record<Recipe, RecipeDefaults>> = {
  static: { ...WHOLE_NETWORK, exits: "none", about: "one exit, cross-entropy" },
  joint: {
    ...WHOLE_NETWORK,
    exits: PLACES,
    about: "all exits together, early ones with rising weight (Kaya et al. 2019)",
  },
  "ic-only": { ...HEADS_ALONE, about: "heads on a trained backbone that does not change" },
  distill: { ...WHOLE_NETWORK, exits: PLACES, about: "joint, and early exits learn from the final one" },
  "ic-distill": { ...HEADS_ALONE, about: "ic-only, and early exits learn from the final one" },
  adversarial: {
    ...WHOLE_NETWORK,
    exits: PLACES,
    about: "joint, on clean images and on images under PGD (Madry et al. 2018)",
  },
  gates: { ...TRAINED_FURTHER, about: "a trained network learns to skip blocks, by gates on their inputs" },
  skipnet: { ...TRAINED_FURTHER, about: "gates, and they share an LSTM (Wang et al. 2018)" },
  blockdrop: { ...TRAINED_FURTHER, about: "gates by a small network on the image (Wu et al. 2018)" },
  act: { ...TRAINED_FURTHER, about: "a trained network learns to stop in each stage (Figurnov et al. 2017)" },
};

/** Default number of images per step. The default learning rates are for this batch. */
export const DEFAULT_BATCH = 128;

/** Highest learning rate, and weight decay. The weight decay of VGG is larger. */
export const OPTIMIZER_DEFAULTS = {
  sgd: { peak: 0.1, decay: 1e-4, decayVgg: 5e-4 },
  adam: { peak: 1e-3, decay: 0, decayVgg: 0 },
  adamw: { peak: 1e-3, decay: 0.01, decayVgg: 0.01 },
} as const satisfies Record<OptimizerKind, object>;

const SCHEDULES: { readonly [K in ScheduleKind]: (peak: number) => ScheduleConfig } = {
  constant: (peak) => ({ kind: "constant", peak }),
  "one-cycle": (peak) => ({ kind: "one-cycle", peak, warmup: 0.3, divisor: 25, finalDivisor: 1e4 }),
  cosine: (peak) => ({ kind: "cosine", peak, warmup: 0 }),
  "multi-step": (peak) => ({ kind: "multi-step", peak, milestones: [0.35, 0.6, 0.85], factor: 0.1 }),
};
export const SCHEDULE_KINDS = Object.keys(SCHEDULES) as readonly ScheduleKind[];
export const OPTIMIZER_KINDS = Object.keys(OPTIMIZER_DEFAULTS) as readonly OptimizerKind[];

const DISTILL: DistillConfig = { temperature: 3, weight: 0.5 };
const ADVERSARIAL: AdversarialConfig = { radius: 8 / 255, stepSize: 2 / 255, steps: 7, target: "final", weight: 0.5 };

const BUDGET: GateBudgetConfig = { kind: "budget", target: 0.5, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 };
const PONDER: PonderConfig = { kind: "ponder", weight: 0.005 };

/** Any of the fields. Undefined means that the user did not choose it. */
type Some<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The choices of a user. The recipe has a default for each. */
export interface TrainingChoices {
  /** Passes over the training records. */
  readonly epochs?: number | undefined;
  /** Images per step. */
  readonly batch?: number | undefined;
  /** The seed of the first weights, the order of records, augmentation and masks. */
  readonly seed?: number | undefined;
  /** The kind of optimizer. */
  readonly optimizer?: OptimizerKind | undefined;
  /** How the learning rate changes over the run. */
  readonly schedule?: ScheduleKind | undefined;
  /** Highest learning rate, for this batch size. */
  readonly peak?: number | undefined;
  /** Factor of the weight decay. */
  readonly weightDecay?: number | undefined;
  /** Whether weight decay also applies to biases and normalization parameters. */
  readonly decayAll?: boolean | undefined;
  /** How training images are changed. */
  readonly augment?: AugmentConfig | undefined;
  /** Coefficient of each exit's loss. */
  readonly exitWeights?: ExitWeights | undefined;
  /** Factor of the gradient that heads of early exits send into the backbone, for the recipe
   * joint. */
  readonly backboneGradient?: number | undefined;
  /** Share of the label that is spread over all classes. */
  readonly labelSmoothing?: number | undefined;
  /** Largest L2 norm of all gradients together. */
  readonly clipNorm?: number | undefined;
  /** Decay of the running average of the weights. */
  readonly ema?: number | undefined;
  /** Settings of distillation, for recipes that distil. Gates with a budget distil when one is
   * given. */
  readonly distill?: Some<DistillConfig>;
  /** Settings of the attack, for the adversarial recipe. */
  readonly adversarial?: Some<AdversarialConfig>;
  /** Settings of gates, for recipes that train them. The recipe act takes the weight alone. */
  readonly gates?: Some<Omit<GateBudgetConfig, "kind">>;
}

/** The facts besides the recipe that defaults depend on. */
export interface RecipeContext {
  readonly architecture: string;
  /** The shorter side of an image, in pixels. */
  readonly side: number;
}

/** Makes the whole configuration.
 * @throws DynnError 'training/config' when a choice does not belong to the recipe */
export function trainingConfig(recipe: Recipe, choices: TrainingChoices, context: RecipeContext): TrainingConfig {
  checkBelongs(recipe, choices);
  const defaults = RECIPE_DEFAULTS[recipe];
  const { distilled, attacked } = RECIPE_DEFINITIONS[recipe];
  const batch = choices.batch ?? DEFAULT_BATCH;
  const optimizer = choices.optimizer ?? defaults.optimizer;
  const own = optimizer === "sgd" ? defaults.sgd : undefined;
  const peak = choices.peak ?? ((own ?? OPTIMIZER_DEFAULTS[optimizer]).peak * batch) / DEFAULT_BATCH;
  const gates = gatesConfig(recipe, choices);
  return {
    recipe,
    epochs: choices.epochs ?? defaults.epochs,
    batch,
    seed: choices.seed ?? 0,
    optimizer: optimizerConfig(optimizer, choices.weightDecay ?? own?.decay, context),
    decayAll: choices.decayAll ?? false,
    schedule: SCHEDULES[choices.schedule ?? defaults.schedule](peak),
    augment: choices.augment ?? defaultAugment(defaults, context),
    exitWeights: choices.exitWeights ?? defaults.exitWeights,
    ...(choices.backboneGradient === undefined ? {} : { backboneGradient: choices.backboneGradient }),
    labelSmoothing: choices.labelSmoothing ?? 0,
    clipNorm: choices.clipNorm,
    ema: choices.ema,
    statisticsMomentum: 0.1,
    distill: distilled || isGiven(choices.distill) ? { ...DISTILL, ...given(choices.distill) } : undefined,
    adversarial: attacked ? checkedAttack({ ...ADVERSARIAL, ...given(choices.adversarial) }) : undefined,
    ...(gates ? { gates } : {}),
  };
}

/** @throws DynnError 'training/config' */
function gatesConfig(recipe: Recipe, { gates: chosen }: TrainingChoices): GatesConfig | undefined {
  const { gates } = RECIPE_DEFINITIONS[recipe] as RecipeDefinition;
  if (gates === undefined) return undefined;
  if (gates === "halting") return { ...PONDER, ...given({ weight: chosen?.weight }) };
  const config = { ...BUDGET, ...given(chosen) };
  for (const key of ["target", "relax", "floor", "quiet"] as const)
    if (!(config[key] >= 0 && config[key] <= 1))
      throw new DynnError(
        "training/config",
        `gates.${key}: got ${config[key]}, expected a share from 0 to 1. Write e.g. 0.5.`,
        { [key]: config[key], ...(key === "target" ? { options: ["gatesTarget"] } : {}) },
      );
  return config;
}

/** @throws DynnError 'training/config' */
function checkedAttack(config: AdversarialConfig): AdversarialConfig {
  for (const key of ["radius", "stepSize"] as const)
    if (!isRadius(config[key], "linf"))
      throw new DynnError(
        "training/config",
        `adversarial.${key}: got ${config[key]}, expected 0 to 1, as pixels lie in [0,1]. Write e.g. 8 / 255.`,
        { [key]: config[key], options: [key === "radius" ? "eps" : "attackStep"] },
      );
  return config;
}

function optimizerConfig(
  kind: OptimizerKind,
  decay: number | undefined,
  { architecture }: RecipeContext,
): OptimizerConfig {
  const defaults = OPTIMIZER_DEFAULTS[kind];
  const weightDecay = decay ?? (architecture.startsWith("vgg") ? defaults.decayVgg : defaults.decay);
  return kind === "sgd"
    ? { kind, momentum: 0.9, nesterov: true, weightDecay }
    : { kind, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay };
}

/** Flips, and crops by an eighth of the side: 4 pixels on CIFAR. */
const defaultAugment = ({ augment }: RecipeDefaults, { side }: RecipeContext): AugmentConfig =>
  augment ? { flip: true, crop: { pad: Math.floor(side / 8), mode: "reflect" }, cutout: undefined } : NO_AUGMENTATION;

/** @throws DynnError 'training/config' */
function checkBelongs(recipe: Recipe, choices: TrainingChoices): void {
  const { distill, adversarial, exitWeights, backboneGradient } = choices;
  const { distilled, attacked, gates }: RecipeDefinition = RECIPE_DEFINITIONS[recipe];
  const wrong = [
    ["settings of distillation", !distilled && !learnsBudget(gates) && given(distill), "distill"],
    ["settings of adversarial training", !attacked && given(adversarial), "adversarial"],
    ["weights of early exits", recipe === "static" && exitWeights !== undefined && { exitWeights }, "joint"],
    [
      "a factor of the backbone's gradient",
      recipe !== "joint" && backboneGradient !== undefined && { backboneGradient },
      "joint",
    ],
    ["settings of gates", gates === undefined && given(choices.gates), "gates"],
    ["a budget", gates === "halting" && given({ ...choices.gates, weight: undefined }), "gates"],
  ] as const;
  for (const [what, got, belongs] of wrong)
    if (got && Object.keys(got).length > 0)
      throw new DynnError(
        "training/config",
        `recipe ${recipe}: got ${what} (${Object.keys(got).join(", ")}), which it does not use. Leave them out, or use the recipe ${belongs}.`,
        { recipe, got },
      );
}

/** Whether a recipe trains gates with a budget. Such a network may learn from the network without
 * gates. */
const learnsBudget = (gates: RecipeDefinition["gates"]): boolean => gates !== undefined && gates !== "halting";

const isGiven = <T extends object>(choices: Some<T> = {}): boolean => Object.keys(given(choices)).length > 0;

/** The entries that are not undefined. */
const given = <T extends object>(choices: Some<T> = {}): Partial<T> =>
  Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined)) as Partial<T>;
