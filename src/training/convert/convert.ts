/** @file From a trained classifier with one exit to the same classifier with early exits. Its weights and answers stay as they are: heads
 *  are attached at legal cuts and trained alone, and a policy is chosen on the validation records.
 *  Sources: Kaya et al. 2019 (IC-only training); Hinton et al. 2015 (distillation); docs/method.md section 2. */
import { DynnError } from "../../core/errors.js";
import { checkLabels, type Dataset } from "../../data/dataset.js";
import { MIN_VALIDATION } from "../../data/split.js";
import { exitsMetadata } from "../../dynamic/model/exits.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import type { Graph } from "../../graph/graph.js";
import type { OnnxModel } from "../../onnx/model.js";
import type { Policy } from "../../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET } from "../../schema/target.js";
import type { EpochReport, Recipe } from "../../schema/training.js";
import { DEFAULT_BATCH, type TrainingChoices, trainingConfig } from "../recipe/defaults.js";
import type { TrainingRequest } from "../run/request.js";
import { train } from "../run/trainer.js";
import {
  type ConversionPlan,
  type ConversionRequest,
  checkedSource,
  type PlaceReport,
  planConversion,
} from "./plan.js";
import { type Measurement, measure } from "./policy.js";

/** What heads learn from on a backbone that stays as it is, and the recipe that does it: the labels, or the final exit's softened answers
 *  as well. */
export const CONVERSION_RECIPES = { "ic-only": "ic-only", distill: "ic-distill" } as const satisfies Record<
  string,
  Recipe
>;
/** What heads of a converted network learn from. */
export type ConversionRecipe = keyof typeof CONVERSION_RECIPES;

/** Thresholds need validation records enough to be chosen on.
 * @throws DynnError 'policy/validation' */
export function checkPolicyData({ name, count }: Dataset): void {
  if (count >= MIN_VALIDATION) return;
  throw new DynnError(
    "policy/validation",
    `${name}: ${count} validation records, expected at least ${MIN_VALIDATION} to choose thresholds on. Give more of them, or convert without a policy.`,
    { count, least: MIN_VALIDATION, options: ["validation", "policy"] },
  );
}

/** The configuration that heads are trained with: a batch never holds more records than there are.
 * @throws DynnError 'training/config' */
export const conversionConfig = (recipe: ConversionRecipe, choices: TrainingChoices, { name, train }: Fitted) =>
  trainingConfig(
    CONVERSION_RECIPES[recipe],
    { ...choices, batch: choices.batch ?? Math.min(DEFAULT_BATCH, train.count) },
    { architecture: name, side: Math.min(train.shape[1], train.shape[2]) },
  );

interface Fitted {
  readonly name: string;
  readonly train: Dataset;
}

/** The metadata of the converted file: the source's own, with exits, normalisation, class names and policy in place of what it had. */
export function conversionMetadata(plan: ConversionPlan, policy: Policy | undefined): Map<string, string> {
  const kept = [...plan.metadata].filter(([key]) => !key.startsWith("dynn."));
  const { normalization, classNames: classes } = plan;
  return new Map([
    ...kept,
    ...writeMetadata({ exits: exitsMetadata(plan.model.graph), policy, normalization, classes }),
  ]);
}

/** What {@link convert} is given besides the network. */
export interface ConvertOptions
  extends ConversionRequest,
    Pick<
      TrainingRequest,
      | "train"
      | "validation"
      | "backend"
      | "stream"
      | "featureMemory"
      | "resume"
      | "signal"
      | "onFeatures"
      | "onStep"
      | "onEpoch"
      | "checkpoint"
    > {
  /** Records that are only counted on. */
  readonly test?: Dataset | undefined;
  /** What heads learn from; left out: the labels. */
  readonly recipe?: ConversionRecipe | undefined;
  /** Passes over the training records. Left out: the recipe's number. */
  readonly epochs?: number | undefined;
  /** Settings of training besides seed and epochs. */
  readonly training?: TrainingChoices | undefined;
  /** What thresholds are chosen by on the validation records (left out: at most 5 % of the accuracy lost), or none. */
  readonly policy?: CalibrationTarget | "none" | undefined;
}

/** A converted network; `saveModel` writes it as it is. */
export interface Conversion extends Measurement {
  /** The network with its exits. */
  readonly graph: Graph;
  /** Metadata for the file: those of the source, and dynn's own. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The exits with their cost, the final one last. */
  readonly exits: DynamicModel["exits"];
  /** Every place where an exit could stand, with the reason where there is none. */
  readonly places: readonly PlaceReport[];
  /** One report for each epoch. */
  readonly epochs: readonly EpochReport[];
}

/** Give a trained classifier early exits: place them, train their heads on the backbone as it is, choose a policy.
 * @param source a classifier with one exit, as {@link OnnxModel} from `loadModel`; exits that it has already are replaced
 * @throws DynnError what {@link planConversion}, `train` and `calibrate` throw; the signal's reason
 * @example
 * ```ts
 * import { convert, loadModel, openDataset, ortNode, subset } from "dynn/node";
 *
 * const data = await openDataset("sample");
 * const records = (from: number, count: number) => subset(data, Uint32Array.from({ length: count }, (_, i) => from + i));
 * const { exits, policy } = await convert(await loadModel("zoo/resnet20-static.onnx"), {
 *   train: records(0, 200),
 *   validation: records(200, 100),
 *   backend: ortNode(),
 *   epochs: 1,
 *   training: { batch: 50 },
 * });
 * console.log(exits.map(({ costFraction }) => costFraction), policy);
 * ```
 */
export async function convert(given: OnnxModel, options: ConvertOptions): Promise<Conversion> {
  const { recipe = "ic-only", policy = DEFAULT_TARGET, seed, epochs, training, test, ...rest } = options;
  const source = await checkedSource(given, options.train, options.backend, options);
  const plan = planConversion(source, options.train, options);
  if (policy !== "none") checkPolicyData(options.validation);
  for (const part of [options.validation, test]) if (part) checkLabels(part, plan.classes);
  const config = conversionConfig(recipe, { ...training, seed, epochs }, { name: plan.name, train: options.train });
  const trained = await train({ ...rest, model: plan.model, config });
  const { exits } = dynamicModel({ graph: trained.graph, metadata: conversionMetadata(plan, undefined) });
  const measured = await measure(trained.graph, {
    exits,
    validation: options.validation,
    test,
    backend: options.backend,
    target: policy === "none" ? undefined : policy,
    batch: config.batch,
    signal: options.signal,
  });
  return {
    ...measured,
    graph: trained.graph,
    metadata: conversionMetadata(plan, measured.policy),
    exits,
    places: plan.places,
    epochs: trained.epochs,
  };
}
