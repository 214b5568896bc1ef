/** @file From a trained classifier with one exit to the same classifier with early exits. Its weights and answers stay as they are: heads
 *  are attached at legal cuts and trained alone, and a policy is chosen on the validation records.
 *  Sources: Kaya et al. 2019 (IC-only training); Hinton et al. 2015 (distillation); method.md section 2. */
import { DynnError } from "../core/errors.js";
import { showShape, sizeOf } from "../core/shape.js";
import { checkLabels, type Dataset, MIN_VALIDATION } from "../data/dataset.js";
import { candidatesOf } from "../dynamic/auto-placement.js";
import type { Target } from "../dynamic/calibrate.js";
import { attachExits, exitsMetadata } from "../dynamic/exits.js";
import { writeMetadata } from "../dynamic/metadata.js";
import { type DynamicModel, dynamicModel } from "../dynamic/model.js";
import { type Normalization, prependNormalization } from "../dynamic/normalization.js";
import { measurePlaces } from "../dynamic/place-times.js";
import { cutsFor, type ExitSpec } from "../dynamic/placement.js";
import type { MeasuredPlaces } from "../dynamic/places.js";
import type { Policy } from "../dynamic/policy.js";
import type { TimingOptions } from "../dynamic/timing.js";
import type { Graph } from "../graph/graph.js";
import type { HeadName } from "../nn/heads.js";
import type { OnnxModel } from "../onnx/model.js";
import type { Backend } from "../runtime/backend.js";
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
  /** The cost that places are judged by, as {@link measureConversion} finds it; left out: counted MACs. */
  readonly measured?: MeasuredPlaces | undefined;
}

/** A place that an exit could stand at. */
export interface PlaceReport {
  readonly cut: string;
  readonly shape: readonly (number | string)[];
  /** Cost in front of it, and of its head, as shares of the backbone's: MACs, or time where it was measured. */
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
 * @throws DynnError 'exits/value' when no exit can be where it is asked for, 'model/cut' when there is no place for one at all,
 *         'model/input', 'model/classifier', 'model/attribute' when the model is no classifier of single images, 'data/shape',
 *         'data/label' when it does not fit the data */
export function planConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  request: ConversionRequest = {},
): ConversionPlan {
  const { exits = { kind: "auto" }, head, seed = 0, normalization, measured } = request;
  const contract = contractOf(source, data, request);
  const backbone = backboneFrom(source.graph, contract);
  const cuts = cutsFor(backbone, exits, head, measured);
  const graph = attachExits(backbone, cuts, { seed, ...(head === undefined ? {} : { head }) });
  const whole = normalization ? prependNormalization(graph, normalization) : graph;
  const converted = dynamicModel({ graph: whole, metadata: writeMetadata({ exits: exitsMetadata(whole) }) });
  const exitAt = (cut: string) => converted.exits[cuts.indexOf(cut)]?.name;
  return {
    name: contract.name,
    model: { graph: whole, exits: converted.exits },
    normalization: normalization ?? contract.normalization,
    classes: contract.classes,
    classNames: contract.classNames ?? data.classes,
    replaced: contract.exits.slice(0, -1).map((e) => e.name),
    places: candidatesOf(backbone, head, cuts, measured).map((c) => ({ ...c, exit: exitAt(c.cut) })),
    metadata: source.metadata,
  };
}

/** Measure what places for exits cost on this machine, by the time of a batch of the data.
 * @param request of the conversion that is planned with it
 * @throws DynnError as {@link planConversion}; 'runtime/load', 'runtime/run', or the signal's reason */
export async function measureConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { backend, batch, ...timing }: PlaceCostOptions,
  request: ConversionRequest = {},
): Promise<MeasuredPlaces> {
  const { exits, head } = request;
  const pixels = new Float32Array(batch * sizeOf(data.shape));
  await data.read(
    Array.from({ length: batch }, (_, i) => i % data.count),
    pixels,
  );
  const backbone = backboneFrom(source.graph, contractOf(source, data, request));
  const named = exits?.kind === "values" ? exits.values : [];
  return measurePlaces(backbone, backend, { ...timing, pixels, head, named });
}

export interface PlaceCostOptions extends Omit<TimingOptions, "pixels"> {
  readonly backend: Backend;
  /** Images in one run. */
  readonly batch: number;
}

/** The source as a classifier of the data's images. */
function contractOf(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { name = source.graph.name, normalization }: ConversionRequest,
): DynamicModel {
  const [, height, width] = data.shape;
  const contract = dynamicModel(source, {
    name,
    imageSize: [height, width],
    ...(normalization ? { normalization } : {}),
  });
  checkFit(contract, data);
  return contract;
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
