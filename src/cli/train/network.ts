/** @file The network of a training run before its first step: an architecture by name or a file with named parameters, exits,
 *  normalisation, and first weights from elsewhere. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import type { Dataset } from "../../data/dataset.js";
import { channelStatistics } from "../../data/statistics.js";
import { attachExits, exitsMetadata } from "../../dynamic/model/exits.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import { prependNormalization } from "../../dynamic/model/normalization.js";
import { cutsFor, type ExitSpec, parseExits } from "../../dynamic/place/exits.js";
import type { Graph } from "../../graph/graph.js";
import { ARCHITECTURES, type ArchitectureName } from "../../nn/architectures.js";
import type { HeadName } from "../../nn/heads.js";
import { readBytes } from "../../node/onnx-files.js";
import { writeModel } from "../../onnx/write.js";
import { type Normalization, normalizationSchema } from "../../schema/normalization.js";
import { RECIPE_DEFINITIONS, type Recipe } from "../../schema/training.js";
import { RECIPE_DEFAULTS } from "../../training/recipe/defaults.js";
import { readCheckpoint } from "../../training/run/checkpoint.js";
import { trainedNames } from "../../training/run/trained.js";
import type { TrainableModel } from "../../training/run/trainer.js";
import { averageOf } from "../../training/step/graph.js";
import { parametersOf } from "../../training/step/training-form.js";
import { openOnnx } from "../shared/files.js";

export interface NetworkRequest {
  /** A name of {@link ARCHITECTURES}, the path of an ONNX file, or zoo:NAME. */
  readonly architecture: string;
  readonly recipe: Recipe;
  /** Left out: the recipe's, or those that the architecture has of its own. */
  readonly exits?: ExitSpec | undefined;
  readonly head?: HeadName | undefined;
  readonly width?: number | undefined;
  readonly seed: number;
  /** A checkpoint (.safetensors) or an ONNX file to take first weights from. */
  readonly init?: string | undefined;
  /** To put in front of the graph; left out: a file stays as it is, an architecture gets that of its first weights or of the images. */
  readonly normalization?: Normalization | undefined;
  readonly classes: number;
  readonly train: Dataset;
}

export interface TrainingNetwork {
  readonly name: string;
  readonly model: TrainableModel;
  /** That the graph applies to pixels; undefined where none is known. */
  readonly normalization: Normalization | undefined;
  /** SHA-256 of the graph and its first weights. */
  readonly digest: string;
  /** What to tell about weights that were taken from elsewhere; undefined when none were. */
  readonly note: string | undefined;
}

/** What a training run is started from. */
interface Base {
  readonly name: string;
  readonly graph: Graph;
  /** That the graph holds already. */
  readonly normalization: Normalization | undefined;
}

/** Build the network.
 * @throws DynnError 'cli/value' (architecture), 'exits/value', 'model/cut', 'data/shape', 'checkpoint/mismatch', 'training/config',
 *         and what reading the named files throws */
export async function trainingNetwork(request: NetworkRequest): Promise<TrainingNetwork> {
  if (RECIPE_DEFINITIONS[request.recipe].frozen && request.init === undefined && !isFile(request.architecture))
    throw new DynnError(
      "training/config",
      `dynn train ${request.architecture}: the recipe ${request.recipe} leaves the backbone as it is, and this one has random weights. Give a trained one with --init, or train with the recipe joint.`,
      { architecture: request.architecture },
    );
  const base = await openBase(request);
  const initial = request.init === undefined ? undefined : await openInitial(request.init);
  const graph = withExits(base.graph, request);
  const wanted = request.normalization ?? (await ownNormalization(request, initial));
  const whole = wanted ? prependNormalization(graph, wanted) : graph;
  const { filled, note } = initial ? fill(whole, initial, request.recipe) : { filled: whole, note: undefined };
  const contract = dynamicModel({ graph: filled, metadata: writeMetadata({ exits: exitsMetadata(filled) }) });
  if (contract.classes !== request.classes)
    throw new DynnError(
      "data/label",
      `${base.name}: tells ${contract.classes} classes apart, and ${request.train.name} has ${request.classes}. Take an architecture by name, or data with as many classes.`,
      { model: contract.classes, data: request.classes },
    );
  return {
    name: base.name,
    model: { graph: filled, exits: contract.exits },
    normalization: wanted ?? base.normalization,
    digest: digestOf(filled),
    note,
  };
}

export const digestOf = (graph: Graph): string => createHash("sha256").update(writeModel({ graph })).digest("hex");

/** Whether an architecture or first weights are an ONNX file. */
export const isFile = (architecture: string): boolean => /^zoo:|\.onnx$/.test(architecture);

async function openBase(request: NetworkRequest): Promise<Base> {
  const { architecture, classes, train, width = 1, seed } = request;
  if (isFile(architecture)) return openFile(request);
  if (!Object.hasOwn(ARCHITECTURES, architecture))
    throw new DynnError(
      "cli/value",
      `dynn train: there is no architecture "${architecture}". Choose from ${Object.keys(ARCHITECTURES).join(", ")}, or give an ONNX file.`,
      { architecture },
    );
  const [channels, height, w] = train.shape;
  const { make } = ARCHITECTURES[architecture as ArchitectureName];
  const { graph } = make({ classes, channels, imageSize: [height, w], width, seed });
  return { name: architecture, graph, normalization: undefined };
}

/** @throws DynnError 'training/config', 'data/shape' */
async function openFile({ architecture, width, train }: NetworkRequest): Promise<Base> {
  if (width !== undefined)
    throw new DynnError(
      "training/config",
      `--width ${width}: ${architecture} is a file, whose layers have their width. Leave --width out, or name an architecture.`,
      { width },
    );
  const { source, name } = await openOnnx(architecture);
  const { input, exits, normalization } = dynamicModel(source, { name, imageSize: [train.shape[1], train.shape[2]] });
  const wanted = input.shape.slice(1);
  if (wanted.some((d, i) => d !== train.shape[i]))
    throw new DynnError(
      "data/shape",
      `${train.name}: images are ${showShape(train.shape)} but ${name} takes ${showShape(wanted)}. Give images of that size (folder:DIR?size=${wanted[2]}x${wanted[1]} resizes).`,
      { got: train.shape, expected: wanted },
    );
  const graph: Graph = {
    ...source.graph,
    inputs: [{ name: input.name, dtype: "float32", shape: input.shape }],
    outputs: exits.map(({ logits }) => ({ name: logits, dtype: "float32", shape: undefined })),
    types: new Map(),
  };
  return { name: basename(name, ".onnx"), graph, normalization };
}

/** Exits as asked for; else those that the network has, when the recipe trains any; else the recipe's. */
function withExits(graph: Graph, { exits, head, recipe, seed }: NetworkRequest): Graph {
  if (recipe === "static" && exits !== undefined && exits.kind !== "none")
    throw new DynnError(
      "training/config",
      "--exits: the recipe static trains the final exit alone. Leave --exits out, or take the recipe joint.",
      {},
    );
  if (exits === undefined && recipe !== "static" && graph.outputs.length > 1) return graph;
  const spec = exits ?? parseExits(RECIPE_DEFAULTS[recipe].exits);
  return attachExits(graph, cutsFor(graph, spec, head), { seed, ...(head === undefined ? {} : { head }) });
}

/** What is put in front of the graph when nothing is said: nothing for a file, whose weights know their input; else what the first weights
 *  were trained with, else mean and standard deviation of the training images. A channel that never changes is left in its scale. */
async function ownNormalization(
  { architecture, train }: NetworkRequest,
  initial: Initial | undefined,
): Promise<Normalization | undefined> {
  if (isFile(architecture)) return undefined;
  if (initial?.normalization) return initial.normalization;
  const { mean, std } = await channelStatistics(train);
  return { mean, std: std.map((s) => (s > 0 ? s : 1)) };
}

/** Weights to start from. */
interface Initial {
  readonly path: string;
  readonly tensor: (name: string) => Tensor | undefined;
  readonly normalization: Normalization | undefined;
}

async function openInitial(path: string): Promise<Initial> {
  if (isFile(path)) {
    const { source, name } = await openOnnx(path);
    const { normalization } = dynamicModel(source, { name });
    return { path, tensor: (name) => source.graph.initializers.get(name), normalization };
  }
  const { state, settings } = readCheckpoint(await readBytes(path), path);
  const normalization = normalizationSchema.optional().safeParse(settings.normalization);
  if (!normalization.success) throw unlike(path, "it does not say how images are normalised");
  return {
    path,
    // Where an average of the weights is kept, it is what the run would have saved.
    tensor: (name) => state.tensors.get(averageOf(name)) ?? state.tensors.get(name),
    normalization: normalization.data,
  };
}

const STATISTIC = /\.running_(mean|var)$/;

/** The graph with the weights that `initial` has for it.
 * @throws DynnError 'checkpoint/mismatch' when a shape differs, nothing fits, or a backbone that is to stay frozen is not whole */
function fill(graph: Graph, { path, tensor }: Initial, recipe: Recipe): { filled: Graph; note: string } {
  const parameters = new Set(parametersOf(graph));
  const learned = [...graph.initializers].filter(([name]) => parameters.has(name) || STATISTIC.test(name));
  const initializers = new Map(graph.initializers);
  const missing = learned.filter(([name, own]) => {
    const found = tensor(name);
    if (!found) return true;
    if (found.dtype !== own.dtype || found.dims.join() !== own.dims.join())
      throw unlike(
        path,
        `"${name}" is ${found.dtype}${showShape(found.dims)} there and ${own.dtype}${showShape(own.dims)} here`,
      );
    initializers.set(name, found);
    return false;
  });
  if (missing.length === learned.length) throw unlike(path, "it has no tensor of this network");
  const heads = RECIPE_DEFINITIONS[recipe].frozen ? trainedNames(graph, recipe) : [...parameters];
  const lost = missing.find(([name]) => !heads.includes(name) && !STATISTIC.test(name))?.[0];
  if (lost !== undefined) throw unlike(path, `it has no "${lost}", and ${recipe} trains no backbone`);
  const rest = missing.length === 0 ? "" : `; ${missing.length} start afresh (${missing[0]?.[0]} ...)`;
  return {
    filled: { ...graph, initializers },
    note: `${path}: ${learned.length - missing.length} of ${learned.length} tensors taken${rest}`,
  };
}

const unlike = (path: string, what: string): DynnError =>
  new DynnError(
    "checkpoint/mismatch",
    `--init ${path}: does not fit the network: ${what}. Give the architecture, width and exits that it was trained with.`,
    { path },
  );
