/** @file The options of `dynn convert`: the places of exits and the training of their heads. The
 *  options of the run are those of `dynn train`. */
import { type Command, Option } from "commander";
import { type ExitSpec, parseExits } from "../../dynamic/place/exits.js";
import { HEAD_NAMES } from "../../nn/heads.js";
import { CONVERSION_RECIPES, type ConversionRecipe } from "../../training/convert/convert.js";
import { GATE_PLACES } from "../../training/gates/sites.js";
import { RECIPE_DEFAULTS } from "../../training/recipe/defaults.js";
import type { ClassFlags } from "../shared/class-options.js";
import { type CommonFlags, common, HEAD_DEFAULTS } from "../shared/common-options.js";
import { type NormalizationFlags, normalizationOptions } from "../shared/normalization-options.js";
import { oneOf, option, type Reader, refuse, whole } from "../shared/options.js";
import { type TrainFlags, trainOptionsNamed } from "../train/options.js";

const SHARED = [
  "batch",
  "lr",
  "clip",
  "augment",
  "temperature",
  "distill-weight",
  "gates-target",
  "gates-weight",
  "seed",
  "classes",
  "by-order",
  "validation",
  "test",
  "threads",
  "provider",
  "workers",
  "run",
  "resume",
  "checkpoint-every",
] as const;

export interface ConvertFlags
  extends NormalizationFlags,
    ClassFlags,
    CommonFlags<"timeBatch", "final">,
    Pick<TrainFlags, "data" | "out" | "epochs" | "batch" | "lr" | "clip" | "augment" | "temperature" | "distillWeight">,
    Pick<TrainFlags, "seed" | "head" | "validation" | "test" | "threads" | "provider" | "workers" | "run" | "resume">,
    Pick<TrainFlags, "checkpointEvery" | "gates" | "gatesTarget" | "gatesWeight"> {
  readonly exits: ExitSpec;
  readonly cost: Cost;
  readonly recipe: ConversionRecipe;
  readonly policy: boolean;
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
      "heads learn from the labels (ic-only) or from the final exit too (distill); with --gates, the network does",
      oneOf(recipes),
    ).default("ic-only"),
    common("head", { about: `${HEAD_NAMES.join(", ")}; see below (default: ${HEAD_DEFAULTS})` }),
    common("final"),
    ...normalizationOptions(),
    option(
      "--epochs <n>",
      `passes through the data (default: ${RECIPE_DEFAULTS["ic-only"].epochs}, with --gates ${RECIPE_DEFAULTS.gates.epochs})`,
      whole(1, 10),
    ),
    ...trainOptionsNamed(SHARED),
    new Option("--no-policy", "choose no thresholds: the file has exits but no policy"),
  ];
  return all.reduce((made, one) => made.addOption(one), command);
}
