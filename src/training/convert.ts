/** @file From a trained classifier with one exit to the same classifier with early exits. Its weights and answers stay as they are: heads
 *  are attached at legal cuts and trained alone, and a policy is chosen on the validation records.
 *  Sources: Kaya et al. 2019 (IC-only training); Hinton et al. 2015 (distillation); method.md section 2. */
import { DynnError } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { checkLabels, type Dataset, MIN_VALIDATION } from "../data/dataset.js";
import { candidatesOf } from "../dynamic/auto-placement.js";
import type { Target } from "../dynamic/calibrate.js";
import { attachExits, exitsMetadata } from "../dynamic/exits.js";
import { writeMetadata } from "../dynamic/metadata.js";
import { type DynamicModel, dynamicModel } from "../dynamic/model.js";
import { type Normalization, prependNormalization } from "../dynamic/normalization.js";
import { cutsFor, type ExitSpec } from "../dynamic/placement.js";
import type { Policy } from "../dynamic/policy.js";
import type { Graph } from "../graph/graph.js";
import type { HeadName } from "../nn/heads.js";
import type { OnnxModel } from "../onnx/model.js";
import type { EpochReport, Recipe } from "./config.js";
import { type Measurement, measure } from "./convert-policy.js";
import { DEFAULT_BATCH, type TrainingChoices, trainingConfig } from "./defaults.js";
import { type TrainableModel, type TrainingRequest, train } from "./trainer.js";

/** What heads learn from on a backbone that stays as it is, and the recipe that does it: the labels, or the final exit's softened answers
 *  as well. */
export const CONVERSION_RECIPES = { "ic-only": "ic-only", distill: "ic-distill" } as const satisfies Record<
  string,
  Recipe
>;
export type ConversionRecipe = keyof typeof CONVERSION_RECIPES;

export const DEFAULT_TARGET: Target = { kind: "rad", loss: 0.05 };

export interface ConversionRequest {
  /** Where exits go; left out: chosen by counted cost. */
  readonly exits?: ExitSpec | undefined;
  /** Left out: by the feature's rank. */
  readonly head?: HeadName | undefined;
  /** Decides the heads' first weights. */
  readonly seed?: number | undefined;
  /** Put in front of a model that expects (x - mean) / std. */
  readonly normalization?: Normalization | undefined;
  /** What to call the model in errors; left out: the graph's name. */
  readonly name?: string | undefined;
}

/** A place that an exit could stand at. */
export interface PlaceReport {
  readonly cut: string;
  readonly shape: readonly (number | string)[];
  /** Cost in front of it, and of its head, as shares of the backbone's. */
  readonly fraction: number;
  readonly headFraction: number;
  /** The exit that stands there. */
  readonly exit: string | undefined;
  /** Why no exit is worth its cost there; undefined where one is. */
  readonly unfit: string | undefined;
}

/** A network with new heads, before they are trained. */
export interface ConversionPlan {
  readonly name: string;
  readonly model: TrainableModel;
  readonly normalization: Normalization | undefined;
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  /** Early exits that the file had, which the new ones replace. */
  readonly replaced: readonly string[];
  readonly places: readonly PlaceReport[];
  /** Of the source. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Attach heads to a classifier as it was read: its initializers keep their bits.
 * @param data images that it will be trained on
 * @throws DynnError 'model/cut' when there is no place for an exit, 'model/input', 'model/classifier', 'model/attribute' when the
 *         model is no classifier of single images, 'data/shape', 'data/label' when it does not fit the data */
export function planConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  request: ConversionRequest = {},
): ConversionPlan {
  const { exits = { kind: "auto" }, head, seed = 0, normalization } = request;
  const name = request.name ?? source.graph.name;
  const [, height, width] = data.shape;
  const contract = dynamicModel(source, {
    name,
    imageSize: [height, width],
    ...(normalization ? { normalization } : {}),
  });
  checkFit(contract, data);
  const backbone = backboneFrom(source.graph, contract);
  const cuts = cutsFor(backbone, exits, head);
  const graph = attachExits(backbone, cuts, { seed, ...(head === undefined ? {} : { head }) });
  const whole = normalization ? prependNormalization(graph, normalization) : graph;
  const converted = dynamicModel({ graph: whole, metadata: writeMetadata({ exits: exitsMetadata(whole) }) });
  const exitAt = (cut: string) => converted.exits[cuts.indexOf(cut)]?.name;
  return {
    name,
    model: { graph: whole, exits: converted.exits },
    normalization: normalization ?? contract.normalization,
    classes: contract.classes,
    classNames: contract.classNames ?? data.classes,
    replaced: contract.exits.slice(0, -1).map((e) => e.name),
    places: candidatesOf(backbone, head, cuts).map((c) => ({ ...c, exit: exitAt(c.cut) })),
    metadata: source.metadata,
  };
}

/** The source's own graph with the input and the last output of the contract. */
const backboneFrom = (graph: Graph, { name, input, exits }: DynamicModel): Graph => ({
  ...graph,
  name,
  inputs: [{ name: input.name, dtype: "float32", shape: input.shape }],
  outputs: [{ name: exits.at(-1)?.logits ?? "", dtype: "float32", shape: undefined }],
  types: new Map(),
});

/** @throws DynnError 'data/shape', 'data/label' */
function checkFit({ name, input, classes, classNames }: DynamicModel, data: Dataset): void {
  const wanted = input.shape.slice(1);
  if (wanted.some((d, i) => d !== data.shape[i]))
    throw new DynnError(
      "data/shape",
      `${data.name}: images are ${showShape(data.shape)} but ${name} takes ${showShape(wanted)}. Give images of that size (folder:DIR?size=${wanted[2]}x${wanted[1]} resizes).`,
      { got: data.shape, expected: wanted },
    );
  if (data.classes !== undefined && data.classes.length !== classes)
    throw new DynnError(
      "data/label",
      `${name}: tells ${classes} classes apart, and ${data.name} has ${data.classes.length}. Give data of the classes that the model was trained on.`,
      { model: classes, data: data.classes.length },
    );
  const moved = data.classes?.findIndex((label, i) => classNames?.[i] !== label && classNames?.includes(label)) ?? -1;
  if (moved >= 0)
    throw new DynnError(
      "data/label",
      `${data.name}: its class ${moved} is "${data.classes?.[moved]}", which is class ${classNames?.indexOf(data.classes?.[moved] ?? "")} of ${name}. Number the classes as the model does.`,
      { model: classNames, data: data.classes },
    );
  checkLabels(data, classes);
}

/** Thresholds need validation records enough to be chosen on.
 * @throws DynnError 'policy/validation' */
export function checkPolicyData({ name, count }: Dataset): void {
  if (count >= MIN_VALIDATION) return;
  throw new DynnError(
    "policy/validation",
    `${name}: ${count} validation records, expected at least ${MIN_VALIDATION} to choose thresholds on. Give more of them (--validation), or leave the policy out (--no-policy).`,
    { count, least: MIN_VALIDATION },
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
  readonly epochs?: number | undefined;
  /** Settings of training besides seed and epochs. */
  readonly training?: TrainingChoices | undefined;
  /** What thresholds are chosen by on the validation records (left out: at most 5 % of the accuracy lost), or none. */
  readonly policy?: Target | "none" | undefined;
}

/** A converted network; `saveModel` writes it as it is. */
export interface Conversion extends Measurement {
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  readonly exits: DynamicModel["exits"];
  readonly places: readonly PlaceReport[];
  readonly epochs: readonly EpochReport[];
}

/** Give a trained classifier early exits: place them, train their heads on the backbone as it is, choose a policy.
 * @param source a classifier with one exit, as {@link OnnxModel} from `loadModel`; exits that it has already are replaced
 * @throws DynnError what {@link planConversion}, `train` and `calibrate` throw; the signal's reason */
export async function convert(source: OnnxModel, options: ConvertOptions): Promise<Conversion> {
  const { recipe = "ic-only", policy = DEFAULT_TARGET, seed, epochs, training, test, ...rest } = options;
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
