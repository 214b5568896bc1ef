/** @file Adds early exits to a trained classifier. Its weights and final answers do not change.
 *  Heads are attached at legal cuts and trained alone. A policy is chosen on the validation
 *  records. Sources: Kaya et al. 2019 (IC-only training); Hinton et al. 2015 (distillation);
 *  docs/method.md section 2. */
import { DynnError } from "../../core/errors.js";
import { stepsPerEpoch } from "../../data/batches.js";
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
import type { TrainingConfig } from "../recipe/config.js";
import { DEFAULT_BATCH, OPTIMIZER_DEFAULTS, type TrainingChoices, trainingConfig } from "../recipe/defaults.js";
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

/** The recipe, when none is chosen: heads also learn from the final exit where data are few. Its
 * answers say more of an image than a label does. */
export const recipeFor = ({ count }: Pick<Dataset, "count">): ConversionRecipe =>
  count < FEW_RECORDS ? "distill" : "ic-only";

/** Fewer training records than this are few. */
export const FEW_RECORDS = 5000;

/** The length of a run in steps: ten passes, but no less than what heads need on few records, and
 * no more than what they need on many. */
const STEPS = { passes: 10, least: 1000, most: 10_000 } as const;

/** A run stops after this share of its length without a better pass. */
const PATIENCE = 0.25;

/** Choices for a conversion. */
export interface ConversionChoices extends TrainingChoices {
  /** Length of the run in steps. It is rounded up to whole passes. */
  readonly steps?: number | undefined;
}

/** The configuration for training the heads. A batch holds at most all training records. On few
 * records the batch is smaller, so that a pass has more steps.
 * @throws DynnError 'training/config' */
export function conversionConfig(recipe: ConversionRecipe, choices: ConversionChoices, fitted: Fitted): TrainingConfig {
  const { name, train } = fitted;
  const { steps, ...others } = choices;
  if (steps !== undefined && choices.epochs !== undefined)
    throw new DynnError(
      "training/config",
      `steps ${steps} and epochs ${choices.epochs}: both give the length of the run. Give one of them.`,
      { steps, epochs: choices.epochs, options: ["steps", "epochs"] },
    );
  const batch = choices.batch ?? batchFor(train.count);
  const perPass = Math.max(1, stepsPerEpoch(train.count, batch));
  const wanted = steps ?? Math.min(STEPS.most, Math.max(STEPS.least, STEPS.passes * perPass));
  const epochs = choices.epochs ?? Math.max(1, Math.ceil(wanted / perPass));
  // Adam takes steps of about the learning rate, whatever the batch.
  const peak = choices.batch === undefined && choices.peak === undefined ? OPTIMIZER_DEFAULTS.adam.peak : choices.peak;
  const config = trainingConfig(
    CONVERSION_RECIPES[recipe],
    { ...others, batch, epochs, peak },
    { architecture: name, side: Math.min(train.shape[1], train.shape[2]) },
  );
  return { ...config, stop: { patience: Math.max(1, Math.ceil(PATIENCE * epochs)) } };
}

/** The largest power of two that is at most a tenth of the records, from 16 to 128, and at most all
 * records. */
const batchFor = (count: number): number =>
  Math.min(count, Math.max(16, Math.min(DEFAULT_BATCH, 2 ** Math.floor(Math.log2(Math.max(1, count / 10))))));

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
  /** The recipe. The default is distill for fewer than 5000 training records, else ic-only. */
  readonly recipe?: ConversionRecipe | undefined;
  /** Length of the training in steps, rounded up to whole passes. The default is ten passes, at
   * least 1000 and at most 10000 steps. */
  readonly steps?: number | undefined;
  /** Length of the training in passes over the training records, in place of steps. */
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
  const { policy = DEFAULT_TARGET, seed, epochs, steps, training, ...rest } = options;
  const { recipe = recipeFor(options.train) } = options;
  const source = await checkedSource(given, options.train, options.backend, options);
  const plan = planConversion(source, options.train, options);
  const fitted = (part: Dataset): Dataset => fitLabels(plan, part, options.matching);
  const [records, validation] = [fitted(options.train), fitted(options.validation)];
  const test = options.test && fitted(options.test);
  if (policy !== "none") checkPolicyData(validation);
  const config = conversionConfig(recipe, { ...training, seed, epochs, steps }, { name: plan.name, train: records });
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
