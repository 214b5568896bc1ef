/** @file The options of `dynn train`, and the configuration that they request. */

import { type Command, Option } from "commander";
import type { ExitSpec } from "../../dynamic/place/exits.js";
import type { ValidationChoice } from "../../node/training/data.js";
import type { Recipe } from "../../schema/training.js";
import { RECIPES } from "../../schema/training.js";
import { GATE_PLACES, type GatePlaces } from "../../training/gates/sites.js";
import type { AdversarialConfig, AugmentConfig, ExitWeights } from "../../training/recipe/config.js";
import {
  DEFAULT_BATCH,
  OPTIMIZER_KINDS,
  type OptimizerKind,
  RECIPE_DEFAULTS,
  SCHEDULE_KINDS,
  type ScheduleKind,
  type TrainingChoices,
} from "../../training/recipe/defaults.js";
import { FEATURE_MEMORY } from "../../training/run/feeds.js";
import type { BackendFlags } from "../shared/backend-options.js";
import type { ClassFlags } from "../shared/class-options.js";
import { type CommonFlags, common } from "../shared/common-options.js";
import type { NormalizationFlags } from "../shared/normalization-options.js";
import { file, oneOf, option, type Reader, radius, text, whole } from "../shared/options.js";
import {
  atLeastZero,
  augment,
  below1,
  exitSpec,
  memory,
  positive,
  shareOf,
  UNITS,
  validation,
  weights,
} from "./readers.js";

type Shared = CommonFlags<"data" | "seed", "batch" | "head" | "eps" | "final">;

export interface TrainFlags extends ClassFlags, BackendFlags, NormalizationFlags, Shared {
  readonly recipe: Recipe;
  readonly exits?: ExitSpec;
  readonly init?: string;
  readonly width?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly schedule?: ScheduleKind;
  readonly optimizer?: OptimizerKind;
  readonly weightDecay?: number;
  readonly decayAll?: boolean;
  readonly labelSmoothing?: number;
  readonly clip?: number;
  readonly ema?: number;
  readonly augment?: AugmentConfig;
  readonly exitWeights?: ExitWeights;
  readonly trunkGradient?: number;
  readonly temperature?: number;
  readonly distillWeight?: number;
  readonly attackStep?: number;
  readonly attackSteps?: number;
  readonly attackTarget?: AdversarialConfig["target"];
  readonly attackWeight?: number;
  readonly gates?: GatePlaces;
  readonly gatesTarget?: number;
  readonly gatesWeight?: number;
  readonly validation: ValidationChoice;
  readonly test?: string;
  readonly workers: number;
  readonly featureMemory?: number;
  readonly run?: string;
  readonly resume?: boolean;
  readonly checkpointEvery: number;
  readonly out: string;
}

/** The defaults of one setting, per recipe: "10 for ic-only, else 15". */
function perRecipe(of: (recipe: Recipe) => string | number): string {
  const groups = [...new Set(RECIPES.map(of))].map((value) => ({ value, of: RECIPES.filter((r) => of(r) === value) }));
  const [most, ...others] = groups.sort((a, b) => b.of.length - a.of.length);
  return [...others.map((group) => `${group.value} for ${group.of.join(", ")}`), `else ${most?.value}`].join(", ");
}

const words = (list: readonly string[]): string => list.join(", ");

export const addTrainOptions = (command: Command): Command =>
  trainOptions().reduce((all, one) => all.addOption(one), command);

/** The options of `dynn train` with these long names, for commands that share them. */
export function trainOptionsNamed(names: readonly string[]): Option[] {
  const all = trainOptions();
  return names.map((name) => {
    const found = all.find(({ long }) => long === `--${name}`);
    if (found) return found;
    throw new Error(`bug: dynn train has no --${name}`);
  });
}

function trainOptions(): Option[] {
  const options: Option[] = [];
  const add = <T>(flags: string, about: string, read: Reader<T>, fallback?: T, shown?: string): Option => {
    const made = option(flags, about, read);
    options.push(fallback === undefined ? made : made.default(fallback, shown));
    return made;
  };
  const share: typeof common = (name, change) => {
    const made = common(name, change);
    options.push(made);
    return made;
  };
  const addSwitch = (flags: string, about: string): void => void options.push(new Option(flags, about));
  share("data", {
    about: "cifar10:DIR, cifar100:DIR (their training records), folder:DIR, npy:IMAGES,LABELS or sample",
    default: undefined,
  }).makeOptionMandatory();
  add("--recipe <name>", `${words(RECIPES)}; see below`, oneOf(RECIPES)).makeOptionMandatory();
  add("-o, --out <file>", "the ONNX file to write", file).makeOptionMandatory();
  add(
    "--exits <list>",
    `early exits: none, auto, every (a head at every place), percentages of the cost, names of values, or names of early heads of the file, which stay alone (default: the network's own; else ${perRecipe((r) => RECIPE_DEFAULTS[r].exits)})`,
    exitSpec,
  );
  share("head");
  share("final");
  add(
    "--init <file>",
    "initial weights, from a checkpoint (.safetensors) or a model (.onnx); ic-only and ic-distill need them",
    file,
  );
  add("--width <factor>", "factor on the number of channels of every layer (default: 1)", positive("0.5"));
  add(
    "--epochs <n>",
    `passes through the data (default: ${perRecipe((r) => RECIPE_DEFAULTS[r].epochs)})`,
    whole(1, 15),
  );
  share("batch", { about: `images per step (default: ${DEFAULT_BATCH})`, read: whole(1, 128), default: undefined });
  share("seed", { about: "seed of initial weights, order and augmentation" });
  add(
    "--lr <x>",
    "highest learning rate (default: sgd 0.1, for recipes of gates 0.05; adam and adamw 0.001; each times batch / 128)",
    positive("0.1"),
  );
  add(
    "--schedule <name>",
    `${words(SCHEDULE_KINDS)} (default: ${perRecipe((r) => RECIPE_DEFAULTS[r].schedule)})`,
    oneOf(SCHEDULE_KINDS),
  );
  add(
    "--optimizer <name>",
    `${words(OPTIMIZER_KINDS)} (default: ${perRecipe((r) => RECIPE_DEFAULTS[r].optimizer)})`,
    oneOf(OPTIMIZER_KINDS),
  );
  add(
    "--weight-decay <x>",
    "weight decay, never of gates (default: sgd 0.0001, for VGG and recipes of gates 0.0005; adam 0; adamw 0.01)",
    atLeastZero("5e-4"),
  );
  addSwitch("--decay-all", "apply weight decay to norms and biases too");
  add("--label-smoothing <x>", "share of the label that is spread over all classes (default: 0)", below1("0.1"));
  add("--clip <norm>", "largest norm of the gradient (default: no limit)", positive("1"));
  add(
    "--ema <decay>",
    "keep and save a moving average of the weights with this decay per step (default: save the last weights)",
    below1("0.999"),
  );
  add(
    "--augment <list>",
    "none, or a list of flip, crop:PIXELS (reflected) or crop-zero:PIXELS, cutout:SIDE (default: flip and a crop by an eighth of the side; ic-only and ic-distill: none)",
    augment,
  );
  share("mean", {
    about:
      "mean per channel of pixels in [0,1]; with --std, the network normalises its input with it (default: that of the training images; an ONNX file keeps its own)",
  });
  share("std");
  share("forceNormalization");
  share("channels");
  add(
    "--exit-weights <w>",
    "weights of the exits' losses: ramp, equal, or a number per exit, the final exit last (default: ramp; ic-only and ic-distill: equal)",
    weights,
  );
  add(
    "--trunk-gradient <x>",
    "joint: factor of the gradient that early exits send into the backbone; 0 trains them as ic-only does (default: 1)",
    shareOf("0.1"),
  );
  add(
    "--temperature <t>",
    "distill, ic-distill: temperature of the targets of early exits (default: 3); gates, skipnet, blockdrop: as the next option",
    positive("3"),
  );
  add(
    "--distill-weight <x>",
    "distill, ic-distill: share of distillation in the loss of an early exit (default: 0.5); gates, skipnet, blockdrop: the network also learns from itself without gates (default: it does not)",
    shareOf("0.5"),
  );
  share("eps", { about: "adversarial: Linf radius (default: 8/255)", default: undefined });
  add("--attack-step <x>", "adversarial: step size of PGD (default: 2/255)", radius);
  add("--attack-steps <n>", "adversarial: number of PGD steps (default: 7)", whole(1, 7));
  add(
    "--attack-target <t>",
    "adversarial: the loss that PGD attacks: final, average or max over the exits (default: final)",
    oneOf(["final", "average", "max"] as const),
  );
  add(
    "--attack-weight <x>",
    "adversarial: share of the loss on attacked images; 1 leaves clean images out (default: 0.5)",
    shareOf("0.5"),
  );
  add(
    "--gates <which>",
    "gates, skipnet, blockdrop: blocks that get gates: same-size (the shortcut is the block's input) or all but the first (default: same-size)",
    oneOf(GATE_PLACES),
  );
  add(
    "--gates-target <x>",
    "gates, skipnet, blockdrop: share of the gated work that is to be done (default: 0.5)",
    shareOf("0.5"),
  );
  add(
    "--gates-weight <x>",
    "factor of the loss of gates (default: 10); for act, the price of a block (default: 0.005)",
    atLeastZero("10"),
  );
  add(
    "--validation <v>",
    "share of the training records, or other data, to choose the best epoch on",
    validation,
    { kind: "share", share: 0.1 } as const,
    "10%",
  );
  share("classes");
  share("byOrder");
  add("--test <spec>", "data to test the finished model on (default: the test records of a CIFAR archive)", text);
  share("threads");
  share("provider");
  add("--workers <n>", "threads that make batches; 0 makes them between the steps", whole(0, 1), 1);
  add(
    "--feature-memory <size>",
    `ic-only, ic-distill: the backbone's features are kept when they fit in this size, else computed again in every epoch (default: ${FEATURE_MEMORY / UNITS.GiB}GiB)`,
    memory,
  );
  add(
    "--run <folder>",
    "folder of config, checkpoint, metrics and report (default: the output's name with .run)",
    file,
  );
  addSwitch("--resume", "continue the run in that folder; the result is the same as without a stop");
  add("--checkpoint-every <s>", "seconds between checkpoints within an epoch", whole(1, 60), 60);
  return options;
}

/** The training choices of the flags. */
export const choicesOf = (flags: Partial<TrainFlags>): TrainingChoices => ({
  epochs: flags.epochs,
  batch: flags.batch,
  seed: flags.seed,
  optimizer: flags.optimizer,
  schedule: flags.schedule,
  peak: flags.lr,
  weightDecay: flags.weightDecay,
  decayAll: flags.decayAll,
  augment: flags.augment,
  exitWeights: flags.exitWeights,
  backboneGradient: flags.trunkGradient,
  labelSmoothing: flags.labelSmoothing,
  clipNorm: flags.clip,
  ema: flags.ema,
  distill: { temperature: flags.temperature, weight: flags.distillWeight },
  adversarial: {
    radius: flags.eps,
    stepSize: flags.attackStep,
    steps: flags.attackSteps,
    target: flags.attackTarget,
    weight: flags.attackWeight,
  },
  gates: { target: flags.gatesTarget, weight: flags.gatesWeight },
});
