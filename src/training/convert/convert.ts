/** @file Adds early exits to a trained classifier. Its weights and final answers do not change.
 *  Heads are attached at legal cuts and trained alone. A policy is chosen on the validation
 *  records. Sources: Kaya et al. 2019 (IC-only training); Hinton et al. 2015 (distillation);
 *  docs/method.md section 2. */
import { DynnError } from "../../core/errors.js";
import type { Dataset } from "../../data/dataset.js";
import { fitLabels } from "../../data/fit.js";
import { MIN_VALIDATION } from "../../data/split.js";
import { exitsMetadata } from "../../dynamic/model/exits.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import type { Graph } from "../../graph/graph.js";
import type { OnnxModel } from "../../onnx/model.js";
import type { Policy } from "../../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET } from "../../schema/target.js";
import type { EpochReport, Recipe } from "../../schema/training.js";
import { gatesOf } from "../gates/metadata.js";
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

/** The recipes that train heads on a frozen backbone. ic-only: heads learn from the labels.
 * distill: heads also learn from the softened answers of the final exit. */
export const CONVERSION_RECIPES = { "ic-only": "ic-only", distill: "ic-distill" } as const satisfies Record<
  string,
  Recipe
>;
/** The name of a recipe for conversion. */
export type ConversionRecipe = keyof typeof CONVERSION_RECIPES;

/** Checks that the validation split has enough records for the choice of thresholds.
 * @throws DynnError 'policy/validation' */
export function checkPolicyData({ name, count }: Dataset): void {
  if (count >= MIN_VALIDATION) return;
  throw new DynnError(
    "policy/validation",
    `${name}: ${count} validation records, expected at least ${MIN_VALIDATION} to choose thresholds on. Give more records, or convert without a policy.`,
    { count, least: MIN_VALIDATION, options: ["validation", "policy"] },
  );
}

/** The configuration for training the heads. A batch never holds more than all training records.
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

/** The metadata of the converted file: those of the source with its gates, and with new exits,
 * normalisation, class names and policy. */
export function conversionMetadata(plan: ConversionPlan, policy: Policy | undefined): Map<string, string> {
  const kept = [...plan.metadata].filter(([key]) => !key.startsWith("dynn."));
  const { normalization, classNames: classes } = plan;
  const gates = gatesOf(plan.metadata, plan.name);
  return new Map([
    ...kept,
    ...writeMetadata({ exits: exitsMetadata(plan.model.graph), gates, policy, normalization, classes }),
  ]);
}

/** Options of {@link convert}. */
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
  /** Records for the test results. Neither training nor the choice of a policy uses them. */
  readonly test?: Dataset | undefined;
  /** The recipe. The default learns from the labels. */
  readonly recipe?: ConversionRecipe | undefined;
  /** Passes over the training records. The default depends on the recipe. */
  readonly epochs?: number | undefined;
  /** Training settings besides seed and epochs. */
  readonly training?: TrainingChoices | undefined;
  /** The target for thresholds on the validation records, or none. The default allows a loss of 5 %
   * of the accuracy. */
  readonly policy?: CalibrationTarget | "none" | undefined;
}

/** A converted network. `saveModel` can write it. */
export interface Conversion extends Measurement {
  /** The network with its exits. */
  readonly graph: Graph;
  /** Metadata for the file: the metadata of the source and of dynn. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The exits with their cost, the final exit last. */
  readonly exits: DynamicModel["exits"];
  /** Every possible place for an exit, with its exit, or the reason against one. */
  readonly places: readonly PlaceReport[];
  /** One report for each epoch. */
  readonly epochs: readonly EpochReport[];
}

/** Adds early exits to a trained classifier: chooses places, trains heads on the frozen backbone,
 * and chooses a policy.
 * @param given a classifier, as {@link OnnxModel} from `loadModel`. Exits that it has already are
 *  replaced
 * @throws DynnError as {@link planConversion}, `train` and `calibrate`
 * @example
 * ```ts
 * import { convert, loadModel, openDataset, ortNode, subset } from "dynn/node";
 *
 * const data = await openDataset("sample");
 * const records = (from: number, count: number) =>
 *   subset(data, Uint32Array.from({ length: count }, (_, i) => from + i));
 * const { exits, policy } = await convert(await loadModel("zoo/resnet20-cifar10-static.onnx"), {
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
  const { recipe = "ic-only", policy = DEFAULT_TARGET, seed, epochs, training, ...rest } = options;
  const source = await checkedSource(given, options.train, options.backend, options);
  const plan = planConversion(source, options.train, options);
  const fitted = (part: Dataset): Dataset => fitLabels(plan, part, options.matching);
  const [records, validation] = [fitted(options.train), fitted(options.validation)];
  const test = options.test && fitted(options.test);
  if (policy !== "none") checkPolicyData(validation);
  const config = conversionConfig(recipe, { ...training, seed, epochs }, { name: plan.name, train: records });
  const trained = await train({ ...rest, train: records, validation, model: plan.model, config });
  const { exits } = dynamicModel({ graph: trained.graph, metadata: conversionMetadata(plan, undefined) });
  const measured = await measure(trained.graph, {
    exits,
    validation,
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
