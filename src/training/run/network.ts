/** @file Builds the network of a training run before its first step. The base is an architecture by
 *  name or a model with named parameters. It gets exits, normalisation, and first weights. */

import { sha256 } from "../../core/digest.js";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import { showShape } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import { counted } from "../../core/units.js";
import type { Dataset } from "../../data/dataset.js";
import { firstImages } from "../../data/dataset.js";
import { checkSize } from "../../data/fit.js";
import { channelStatistics } from "../../data/statistics.js";
import { attachExits, exitsMetadata } from "../../dynamic/model/exits.js";
import type { StatedGates } from "../../dynamic/model/gates.js";
import { type InputMaps, type InputOptions, onUnit, prependInput } from "../../dynamic/model/input.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { requireOpenBatch } from "../../dynamic/model/open-batch.js";
import { cutsFor, type ExitSpec, parseExits } from "../../dynamic/place/exits.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import type { Graph } from "../../graph/graph.js";
import { ARCHITECTURES, type ArchitectureName } from "../../nn/architectures.js";
import type { HeadName } from "../../nn/heads.js";
import type { OnnxModel } from "../../onnx/model.js";
import { writeModel } from "../../onnx/write.js";
import type { Backend } from "../../runtime/backend.js";
import { type Normalization, normalizationSchema } from "../../schema/normalization.js";
import { RECIPE_DEFINITIONS, type Recipe, type RecipeDefinition } from "../../schema/training.js";
import { attachGates, type GatedGraph } from "../gates/attach.js";
import { attachHalting } from "../gates/halting.js";
import { gatesOf, statedGates } from "../gates/metadata.js";
import type { GatePlaces } from "../gates/sites.js";
import { RECIPE_DEFAULTS } from "../recipe/defaults.js";
import { parametersOf } from "../step/training-form.js";
import { averageOf } from "../step/updates.js";
import { readCheckpoint } from "./checkpoint.js";
import { namedHeads } from "./named-heads.js";
import type { TrainableModel } from "./request.js";
import { trainedNames } from "./trained.js";

/** The base of a network. */
export type NetworkBase =
  | { readonly kind: "architecture"; readonly name: string; readonly width?: number | undefined }
  | { readonly kind: "model"; readonly name: string; readonly source: OnnxModel };

/** The network to train. */
export interface NetworkRequest {
  /** An architecture or a model. */
  readonly base: NetworkBase;
  /** The recipe. It decides the exits and the frozen parameters. */
  readonly recipe: Recipe;
  /** The exits. Names of early heads of a model keep these heads alone. The default is the
   * network's own exits, unless the recipe is static. Otherwise the default depends on the
   * recipe. */
  readonly exits?: ExitSpec | undefined;
  /** Form of the heads of new exits. */
  readonly head?: HeadName | undefined;
  /** The blocks that get gates, for recipes that train gates. Left out: blocks whose shortcut is
   * their input. */
  readonly gatePlaces?: GatePlaces | undefined;
  /** The seed of new weights. */
  readonly seed: number;
  /** First weights from a file: {@link weightsOfModel}, {@link weightsOfCheckpoint}. */
  readonly init?: InitialWeights | undefined;
  /** The normalisation to put in front of the graph. By default, a model gets none. An architecture
   * gets the normalisation of its first weights or of the images. */
  readonly normalization?: InputOptions["normalization"];
  /** Whether to put it also in front of a model that normalises its input already. */
  readonly forceNormalization?: InputOptions["forceNormalization"];
  /** The order of the channels that a model expects. */
  readonly channels?: InputOptions["channels"];
  /** Name of the output of a model that is the final classifier. Left out: the costliest. */
  readonly final?: string | undefined;
  /** Runs a model on images, to see whether its exits hold probabilities that its graph does not
   * show. Left out: the graph alone decides. */
  readonly backend?: Backend | undefined;
  /** Number of classes. */
  readonly classes: number;
  /** Images from which the normalisation is computed. */
  readonly train: Dataset;
}

/** A network that is ready for training. */
export interface TrainingNetwork {
  /** Name of the network. */
  readonly name: string;
  /** Graph and exits of the network. */
  readonly model: TrainableModel;
  /** The normalisation that the graph applies to pixels. Undefined when it is not known. */
  readonly normalization: Normalization | undefined;
  /** SHA-256 of the graph and its first weights. */
  readonly digest: string;
  /** The gates of the network: those that it had, or those that the recipe attached. Left out:
   * none. */
  readonly gates?: StatedGates | undefined;
  /** A message about weights from a file. Undefined without such weights. */
  readonly note: string | undefined;
}

/** The base of a training run. */
interface Base {
  readonly name: string;
  readonly graph: Graph;
  /** The normalisation that the graph applies behind `prepended`. */
  readonly normalization: Normalization | undefined;
  /** What is put in front of the graph of a model. */
  readonly prepended?: InputMaps | undefined;
}

/** Builds the network of a training run.
 * @throws DynnError 'cli/value' when dynn does not have the architecture
 * @throws DynnError 'training/config', 'exits/value', 'model/cut', 'data/shape', 'data/label',
 *  'checkpoint/mismatch'
 * @example
 * const network = await trainingNetwork({
 *   base: { kind: "architecture", name: "resnet20" }, recipe: "joint", seed: 0, classes: 10, train,
 * }); */
export async function trainingNetwork(request: NetworkRequest): Promise<TrainingNetwork> {
  const { base: asked, recipe, init, normalization: given } = request;
  checkStart(request);
  const kept = asked.kind === "model" ? gatesOf(asked.source.metadata, asked.name) : undefined;
  const heads = asked.kind === "model" ? namedHeads(asked.source, request.exits, asked.name) : undefined;
  const base = asked.kind === "model" ? await ofModel(asked, request, heads) : ofArchitecture(asked, request);
  const { graph: backbone, gates } = withGates(base.graph, request);
  const graph = heads && recipe !== "static" ? backbone : withExits(backbone, request);
  const isModel = asked.kind === "model";
  const wanted = isModel ? undefined : given ? onUnit(given) : await ownNormalization(request);
  const maps = wanted ? { normalization: wanted, reversed: request.channels === "bgr" } : base.prepended;
  const whole = maps ? prependInput(graph, maps) : graph;
  const { filled, note } = init ? fill(whole, init, recipe) : { filled: whole, note: undefined };
  const contract = dynamicModel({ graph: filled, metadata: writeMetadata({ exits: exitsMetadata(filled) }) });
  if (contract.classes !== request.classes)
    throw new DynnError(
      "data/label",
      `${base.name}: has ${counted(contract.classes, "class", "classes")}, and ${request.train.name} has ${request.classes}. Take an architecture by name, or data with as many classes.`,
      { model: contract.classes, data: request.classes },
    );
  return {
    name: base.name,
    model: { graph: filled, exits: contract.exits, ...(gates.length > 0 ? { gates } : {}) },
    normalization: wanted ?? base.normalization,
    digest: graphDigest(filled),
    gates: kept ?? statedGates(gates),
    note,
  };
}

/** Random weights would stay as they are, or would learn that no block is worth its price. Gates
 * stand on a network once.
 * @throws DynnError 'training/config' */
function checkStart({ base, recipe, init }: NetworkRequest): void {
  const { frozen, gates }: RecipeDefinition = RECIPE_DEFINITIONS[recipe];
  if (gates && base.kind === "model" && gatesOf(base.source.metadata, base.name))
    throw new DynnError(
      "training/config",
      `${base.name}: has gates already, and the recipe ${recipe} would put gates on them. Start on the network without gates.`,
      { recipe },
    );
  if (init !== undefined || base.kind === "model") return;
  const needs = frozen
    ? "does not change the backbone"
    : gates
      ? "teaches a trained network to skip blocks"
      : undefined;
  if (needs === undefined) return;
  const other = frozen ? "joint" : "static first";
  throw new DynnError(
    "training/config",
    `${base.name}: the recipe ${recipe} ${needs}, and this one has random weights. Give first weights, or train with the recipe ${other}.`,
    { architecture: base.name, options: ["init"] },
  );
}

/** The base with the gates of the recipe.
 * @throws DynnError 'training/config' when no block could have a gate */
function withGates(graph: Graph, { recipe, gatePlaces, seed }: NetworkRequest): GatedGraph {
  const { gates: gate }: RecipeDefinition = RECIPE_DEFINITIONS[recipe];
  if (gate === undefined && gatePlaces === undefined) return { graph, gates: [] };
  if (gate === undefined || (gate === "halting" && gatePlaces === "all"))
    throw new DynnError(
      "training/config",
      `recipe ${recipe}: got a choice of blocks for gates (${gatePlaces}), which it does not use. Leave it out, or use the recipe gates.`,
      { recipe, options: ["gates"] },
    );
  return gate === "halting" ? attachHalting(graph, { seed }) : attachGates(graph, { gate, places: gatePlaces, seed });
}

/** SHA-256 of a graph and its initializers, in hexadecimal. */
export const graphDigest = (graph: Graph): string => sha256(writeModel({ graph }));

type Architecture = Extract<NetworkBase, { kind: "architecture" }>;

function ofArchitecture({ name, width = 1 }: Architecture, { classes, train, seed }: NetworkRequest): Base {
  if (!Object.hasOwn(ARCHITECTURES, name))
    throw new DynnError(
      "cli/value",
      `architecture "${name}": dynn does not have this architecture.${didYouMean(name, Object.keys(ARCHITECTURES))} Choose from ${Object.keys(ARCHITECTURES).join(", ")}, or give an ONNX file.`,
      { architecture: name },
    );
  const [channels, height, columns] = train.shape;
  const { make } = ARCHITECTURES[name as ArchitectureName];
  const { graph } = make({ classes, channels, imageSize: [height, columns], width, seed });
  return { name, graph, normalization: undefined };
}

/** @throws DynnError 'data/shape', 'model/batch', or as dynamicModel and checkOutputs */
async function ofModel(
  { name, source }: Extract<NetworkBase, { kind: "model" }>,
  { train, normalization: given, forceNormalization, channels, final, backend }: NetworkRequest,
  exits: readonly string[] | undefined,
): Promise<Base> {
  const read = dynamicModel(source, {
    ...{ name, imageSize: [train.shape[1], train.shape[2]], final, exits },
    ...{ normalization: given, forceNormalization, channels },
  });
  checkSize(read, train);
  const model = backend ? await checkOutputs(read, { backend, images: await firstImages(train) }) : read;
  requireOpenBatch(model, "training");
  const { input, normalization } = model;
  const graph: Graph = {
    ...model.source,
    inputs: [{ name: input.name, dtype: "float32", shape: input.shape }],
    outputs: model.exits.map(({ logits }) => ({ name: logits, dtype: "float32", shape: undefined })),
    types: new Map(),
  };
  return { name: name.replace(/\.onnx$/, ""), graph, normalization, prepended: model.prepended };
}

/** The requested exits. If none are requested and the recipe trains exits, the network's own exits,
 * or else the exits of the recipe. */
function withExits(graph: Graph, { exits, head, recipe, seed }: NetworkRequest): Graph {
  if (recipe === "static" && exits !== undefined && exits.kind !== "none")
    throw new DynnError(
      "training/config",
      "exits: the recipe static trains the final exit alone. Leave them out, or use the recipe joint.",
      { options: ["exits", "recipe"] },
    );
  if (exits === undefined && recipe !== "static" && graph.outputs.length > 1) return graph;
  const spec = exits ?? parseExits(RECIPE_DEFAULTS[recipe].exits);
  return attachExits(graph, cutsFor(graph, spec, head), { seed, ...(head === undefined ? {} : { head }) });
}

/** The default normalisation in front of the graph. A model gets none, because its weights expect
 * its own input. An architecture gets the normalisation of its first weights, or else mean and
 * standard deviation of the training images. A constant channel keeps its scale. */
async function ownNormalization({ base, train, init }: NetworkRequest): Promise<Normalization | undefined> {
  if (base.kind === "model") return undefined;
  if (init?.normalization) return init.normalization;
  const { mean, std } = await channelStatistics(train);
  return { mean, std: std.map((s) => (s > 0 ? s : 1)) };
}

/** Weights to start from. */
export interface InitialWeights {
  /** The weights' name in messages. */
  readonly where: string;
  /** The tensor with a name, or undefined. */
  readonly tensor: (name: string) => Tensor | undefined;
  /** The normalisation under which the weights were trained. Undefined when it is not known. */
  readonly normalization: Normalization | undefined;
  /** The classes that the weights tell apart; undefined where they are not known. */
  readonly classes?: Pick<DynamicModel, "name" | "classes" | "classNames"> | undefined;
}

/** Options of {@link weightsOfModel}. */
export interface WeightsOptions {
  /** Where the weights come from, for messages. */
  readonly where: string;
  /** Name of the output that is the final classifier. Left out: the costliest. */
  readonly final?: string | undefined;
}

/** The weights of a model, by the names of its initializers.
 * @throws DynnError as dynamicModel */
export const weightsOfModel = (source: OnnxModel, { where, final }: WeightsOptions): InitialWeights =>
  weightsOfNetwork(dynamicModel(source, { name: where, final }), where);

/** The weights of an opened network, by the names of its initializers. */
export function weightsOfNetwork(classes: DynamicModel, where: string): InitialWeights {
  const { normalization, source: graph } = classes;
  return { where, tensor: (name) => graph.initializers.get(name), normalization, classes };
}

/** The weights of a checkpoint. If the checkpoint keeps an average of the weights, the average.
 * @throws DynnError 'checkpoint/format', 'checkpoint/mismatch' */
export function weightsOfCheckpoint(bytes: Uint8Array, where: string): InitialWeights {
  const { state, settings } = readCheckpoint(bytes, where);
  const normalization = normalizationSchema.optional().safeParse(settings.normalization);
  if (!normalization.success) throw unlike(where, "it does not say how images are normalised");
  const tensor = (name: string) => state.tensors.get(averageOf(name)) ?? state.tensors.get(name);
  return { where, tensor, normalization: normalization.data };
}

const STATISTIC = /\.running_(mean|var)$/;

/** Replaces the weights of the graph by the weights of the file.
 * @throws DynnError 'checkpoint/mismatch' when a shape differs, nothing fits, or a frozen backbone
 *  lacks weights */
function fill(graph: Graph, { where, tensor }: InitialWeights, recipe: Recipe): { filled: Graph; note: string } {
  const parameters = new Set(parametersOf(graph));
  const learned = [...graph.initializers].filter(([name]) => parameters.has(name) || STATISTIC.test(name));
  const initializers = new Map(graph.initializers);
  const missing = learned.filter(([name, own]) => {
    const found = tensor(name);
    if (!found) return true;
    if (found.dtype !== own.dtype || found.dims.join() !== own.dims.join())
      throw unlike(
        where,
        `"${name}" is ${found.dtype}${showShape(found.dims)} there and ${own.dtype}${showShape(own.dims)} here`,
      );
    initializers.set(name, found);
    return false;
  });
  if (missing.length === learned.length) throw unlike(where, "it has no tensor of this network");
  const heads = RECIPE_DEFINITIONS[recipe].frozen ? trainedNames(graph, recipe) : [...parameters];
  const lost = missing.find(([name]) => !heads.includes(name) && !STATISTIC.test(name))?.[0];
  if (lost !== undefined) throw unlike(where, `it has no "${lost}", and ${recipe} does not train the backbone`);
  const rest = missing.length === 0 ? "" : `; ${missing.length} start with new values (${missing[0]?.[0]} ...)`;
  return {
    filled: { ...graph, initializers },
    note: `${where}: ${learned.length - missing.length} of ${learned.length} tensors taken${rest}`,
  };
}

const unlike = (where: string, what: string): DynnError =>
  new DynnError(
    "checkpoint/mismatch",
    `${where}: does not fit the network: ${what}. Give the architecture, width and exits that it was trained with.`,
    { where },
  );
