/** @file The options of `dynn convert`: the places of exits, the training of their heads, and the
 *  target of the policy. Options of the run are read as those of `dynn train` are, and have texts
 *  of their own here. */
import { type Command, Option } from "commander";
import { type ExitSpec, parseExits } from "../../dynamic/place/exits.js";
import { HEAD_NAMES } from "../../nn/heads.js";
import type { ValidationChoice } from "../../node/training/data.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { CONVERSION_RECIPES, type ConversionRecipe, FEW_RECORDS } from "../../training/convert/convert.js";
import { GATE_PLACES } from "../../training/gates/sites.js";
import { RECIPE_DEFAULTS } from "../../training/recipe/defaults.js";
import type { ClassFlags } from "../shared/class-options.js";
import { type CommonFlags, common, HEAD_DEFAULTS, noSpeed } from "../shared/common-options.js";
import { type NormalizationFlags, normalizationOptions } from "../shared/normalization-options.js";
import { oneOf, option, type Reader, refuse, whole } from "../shared/options.js";
import { readShares, TARGETS, targetOption } from "../shared/policy-options.js";
import { type TrainFlags, trainOptionsNamed } from "../train/options.js";

/** Options that `dynn train` has too, with what they mean here. */
const SHARED: Readonly<Record<string, string | undefined>> = {
  batch: "images per step (default: a tenth of the training images, between 16 and 128)",
  lr: "highest learning rate (default: 0.001; with --gates 0.05 times batch / 128, or 0.005 for folded BatchNormalization)",
  clip: "largest norm of the gradient (default: no limit; with --gates and folded BatchNormalization 1)",
  augment:
    "none, or a list of flip, crop:PIXELS (reflected) or crop-zero:PIXELS, cutout:SIDE; anything but none computes the features again in every pass (default: none, with --gates flip and a crop)",
  temperature: "distill: temperature of the final exit's answers (default: 3)",
  "distill-weight": "distill: share of the final exit's answers in the loss, the labels have the rest (default: 0.5)",
  "gates-target": "--gates: share of the gated work that is to be done (default: 0.5)",
  "gates-weight": "--gates: factor of the loss that draws the work to that share (default: 10)",
  seed: "seed of the heads' first weights, and of the order of images",
  classes: undefined,
  "by-order": undefined,
  test: "images that neither heads nor thresholds see, for independent figures (default: the test records of a CIFAR archive)",
  threads: undefined,
  provider: undefined,
  workers: "threads that read images; 0 reads them between the steps",
  run: "folder of the run: checkpoint, report, record (default: the output's name with .run)",
  resume: undefined,
  "checkpoint-every": "seconds between checkpoints within a pass",
};

const VALIDATION =
  "images to choose thresholds on: a share of the data, or other data (default: a tenth, on few images up to 30 %)";

export interface ConvertFlags
  extends NormalizationFlags,
    ClassFlags,
    CommonFlags<"timeBatch", "final">,
    Pick<TrainFlags, "data" | "out" | "epochs" | "batch" | "lr" | "clip" | "augment" | "temperature" | "distillWeight">,
    Pick<TrainFlags, "seed" | "head" | "test" | "threads" | "provider" | "workers" | "run" | "resume">,
    Pick<TrainFlags, "checkpointEvery" | "gates" | "gatesTarget" | "gatesWeight"> {
  readonly exits: ExitSpec;
  readonly cost: Cost;
  readonly recipe?: ConversionRecipe;
  readonly steps?: number;
  /** Undefined: as many as the choice of thresholds needs. */
  readonly validation?: ValidationChoice;
  readonly target: CalibrationTarget;
  readonly policy: boolean;
  readonly speed: boolean;
}

/** The costs by which places for exits are judged. */
const COSTS = ["macs", "time"] as const;
type Cost = (typeof COSTS)[number];

const exitSpec: Reader<ExitSpec> = (text, where) => {
  const spec = parseExits(text);
  if (spec.kind !== "none") return spec;
  throw refuse(where, text, "auto, percentages of the cost or names of values", `Write e.g. ${where} 30,60`);
};

export function addConvertOptions(command: Command): Command {
  const recipes = Object.keys(CONVERSION_RECIPES) as ConversionRecipe[];
  const all = [
    ...trainOptionsNamed(["data", "out"]),
    option(
      "--exits <list>",
      "auto (places where an exit saves work), percentages of the cost (15,30,45), or names of values",
      exitSpec,
    ).default({ kind: "auto" }, "auto"),
    option("--cost <kind>", "the cost: macs (counted) or time (measured on this machine)", oneOf(COSTS)).default(
      "macs",
    ),
    common("timeBatch"),
    option(
      "--gates [which]",
      "put gates on residual blocks in place of exits, and train the whole network further: same-size or all (default: same-size)",
      oneOf(GATE_PLACES),
    ).preset("same-size"),
    option(
      "--recipe <name>",
      `heads learn from the labels (ic-only), or from the final exit too (distill); with --gates, the network does (default: distill for fewer than ${FEW_RECORDS} training images, else ic-only; with --gates ic-only)`,
      oneOf(recipes),
    ),
    common("head", { about: `${HEAD_NAMES.join(", ")}; see below (default: ${HEAD_DEFAULTS})` }),
    common("final"),
    ...normalizationOptions(),
    option(
      "--steps <n>",
      "length of the training in steps, rounded up to whole passes; it stops earlier when validation does not improve (default: 10 passes, between 1000 and 10000 steps)",
      whole(1, 2000),
    ),
    option(
      "--epochs <n>",
      `length in passes over the images, in place of --steps (default with --gates: ${RECIPE_DEFAULTS.gates.epochs})`,
      whole(1, 10),
    ),
    targetOption(`the policy: ${TARGETS}`, readShares),
    ...trainOptionsNamed(["validation"]).map((one) =>
      Object.assign(one, { description: VALIDATION, defaultValue: undefined, defaultValueDescription: undefined }),
    ),
    ...Object.entries(SHARED).flatMap(([name, about]) =>
      trainOptionsNamed([name]).map((one) => (about === undefined ? one : Object.assign(one, { description: about }))),
    ),
    new Option("--no-policy", "choose no thresholds: the file has exits but no policy"),
    noSpeed(),
  ];
  return all.reduce((made, one) => made.addOption(one), command);
}
