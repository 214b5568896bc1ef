/** @file Makes the data inputs of a step: images, images with their attacked versions, or features
 *  of a frozen backbone. Features are computed batch by batch. If they never change and fit in
 *  memory, they are computed once. */

import { checkPixels } from "../../core/pixels.js";
import { present } from "../../core/present.js";
import { sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import { type BatchPlace, epochOrder, places, type TrainingBatch, trainingStream } from "../../data/batches.js";
import { checkLabels, type Dataset } from "../../data/dataset.js";
import { channelStatistics } from "../../data/statistics.js";
import { argmax } from "../../dynamic/route/policy.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { Session, Tensors } from "../../runtime/backend.js";
import { openGates } from "../gates/open.js";
import { attackBatch, pgdGraph } from "../step/adversarial.js";
import { splitFrozen } from "../step/frozen.js";
import { rowsOf, STEP } from "../step/graph.js";
import { trainingForm } from "../step/training-form.js";
import { crossEntropyOf, type ExitEvaluation } from "./evaluate.js";
import type { TrainingRequest } from "./request.js";

/** The source of data for training steps. */
export interface FeedSource {
  /** The graph from which the step is made. */
  readonly graph: Graph;
  /** Batches, from one place in the run on. */
  readonly batches: (from: BatchPlace) => AsyncIterable<TrainingBatch>;
  /** Data inputs of a step.
   * @param state current parameters
   * @param done number of earlier steps */
  readonly feeds: (
    batch: TrainingBatch,
    labels: Tensor<"int64">,
    state: ReadonlyMap<string, Tensor>,
    done: number,
  ) => Promise<Tensors>;
  /** Accuracy and loss of each exit on the validation records, from kept features. Undefined when
   * features are not kept: the whole network then runs.
   * @param weigh puts the current weights into a graph */
  readonly validate?: ((weigh: (graph: Graph) => Graph) => Promise<ExitEvaluation>) | undefined;
  /** Releases the sessions. */
  readonly release: () => Promise<void>;
}

/** Default limit for kept features of a frozen backbone, in bytes. */
export const FEATURE_MEMORY = 2 * 1024 ** 3;

/** What changes in the training. */
export interface FeedOptions {
  /** Parameters that change. */
  readonly trained: readonly ValueName[];
  /** Whether everything in front of them is frozen, statistics too. */
  readonly frozen: boolean;
}

/** Chooses the data for the steps: images, attacked images, or features of a frozen backbone.
 * @throws DynnError as compiling a graph and reading data */
export async function makeFeeds(request: TrainingRequest, { trained, frozen }: FeedOptions): Promise<FeedSource> {
  const stream = request.stream ?? (await ownStream(request));
  if (frozen) return frozenFeeds(request, trained, stream);
  if (request.config.adversarial) return attackedFeeds(request, trained, stream);
  const { config, model } = request;
  return config.distill && config.gates && model.gates ? taughtFeeds(request, stream) : imageFeeds(request, stream);
}

type Stream = (from: BatchPlace) => AsyncIterable<TrainingBatch>;

async function ownStream({ train, model, config }: TrainingRequest): Promise<Stream> {
  const { batch, seed, epochs, augment: augmentation } = config;
  const fill = augmentation.cutout === undefined ? [] : (await channelStatistics(train)).mean;
  const classes = classesOf(model);
  return (from) => trainingStream(train, { batch, seed, classes, epochs, from, augmentation, fill });
}

/** Number of classes of the last exit. */
export function classesOf({ graph, exits }: TrainingRequest["model"]): number {
  const typed = inferShapes(graph, opTable);
  return typed.types.get(present(exits.at(-1), "the final exit").logits)?.shape.at(-1) as number;
}

const imagesTensor = ({ images }: TrainingBatch, rows: number, shape: readonly number[]): Tensor<"float32"> => ({
  dtype: "float32",
  dims: [rows, ...shape],
  data: images,
});

function imageFeeds({ model, train, config }: TrainingRequest, batches: Stream): FeedSource {
  const input = model.graph.inputs[0].name;
  return {
    graph: model.graph,
    batches,
    feeds: async (batch) => ({ [input]: imagesTensor(batch, config.batch, train.shape) }),
    release: async () => {},
  };
}

/** Feeds of images, and of the answers of the network that gates start on: the same weights with
 * all gates open. */
async function taughtFeeds(request: TrainingRequest, stream: Stream): Promise<FeedSource> {
  const { model, backend } = request;
  const plain = imageFeeds(request, stream);
  const outputs = model.graph.outputs.slice(-1);
  const session = await backend.compile(prune({ ...openGates(model.graph, model.gates ?? []), outputs }));
  const teach = async (images: Tensors): Promise<Tensor> =>
    (await session.run(images))[present(outputs[0], "the final exit").name];
  return {
    ...plain,
    feeds: async (...step) => {
      const images = await plain.feeds(...step);
      return { ...images, [STEP.teacher]: await teach(images) };
    },
    release: () => session.release(),
  };
}

/** Feeds of clean images, followed by their attacked versions, or of attacked images alone. */
async function attackedFeeds(
  request: TrainingRequest,
  trained: readonly ValueName[],
  batches: Stream,
): Promise<FeedSource> {
  const { model, train, config, backend } = request;
  const adversarial = config.adversarial as NonNullable<typeof config.adversarial>;
  const logits = model.exits.map((e) => e.logits);
  const { statistics } = trainingForm(model.graph, { batch: config.batch, trained, frozen: false });
  const state = [...trained, ...statistics.map((s) => s.name)];
  const session = await backend.compile(pgdGraph(model.graph, logits, state, adversarial, config.batch));
  const input = model.graph.inputs[0].name;
  return {
    graph: model.graph,
    batches,
    feeds: async (batch, labels, now, step) => {
      const images = imagesTensor(batch, config.batch, train.shape);
      const attack = { images, labels, indices: batch.indices, step, seed: config.seed };
      const moved = await attackBatch(session, attack, adversarial, logits.length, Object.fromEntries(now));
      const rows = rowsOf(config);
      return {
        [input]: {
          dtype: "float32",
          dims: [rows, ...train.shape],
          data: rows > config.batch ? bothOf(images.data, moved) : moved,
        },
      };
    },
    release: () => session.release(),
  };
}

/** Clean images and then their attacked versions. */
function bothOf(clean: Float32Array, attacked: Float32Array): Float32Array {
  const both = new Float32Array(clean.length + attacked.length);
  both.set(clean);
  both.set(attacked, clean.length);
  return both;
}

async function frozenFeeds(
  request: TrainingRequest,
  trained: readonly ValueName[],
  stream: Stream,
): Promise<FeedSource> {
  const { model, config, backend, train } = request;
  checkLabels(train, classesOf(model));
  const split = splitFrozen(
    model.graph,
    trained,
    model.exits.map((e) => e.logits),
  );
  const session = await backend.compile(split.frozen);
  const input = model.graph.inputs[0].name;
  const compute = (images: Tensor<"float32">): Promise<Tensors> => session.run({ [input]: images });
  const { flip, crop, cutout } = config.augment;
  const changing = flip || crop !== undefined || cutout !== undefined;
  const bytesOf = (records: number): number => 4 * records * featureSize(split.frozen);
  const room = request.featureMemory ?? FEATURE_MEMORY;
  if (changing || bytesOf(train.count) > room)
    return {
      graph: split.trained,
      batches: stream,
      feeds: (batch) => compute(imagesTensor(batch, config.batch, train.shape)),
      release: () => session.release(),
    };
  try {
    const feeds = keptFeeds(request, split.trained, await allFeatures(request, train, session));
    if (bytesOf(train.count + request.validation.count) > room) return feeds;
    const checked = await allFeatures(request, request.validation, session);
    return {
      ...feeds,
      validate: (weigh) => evaluateFeatures(request, weigh(split.trained), checked),
    };
  } finally {
    await session.release();
  }
}

/** Accuracy and loss of each exit, from features.
 * @param graph from features to the logits of all exits */
async function evaluateFeatures(
  { model, validation, backend, signal }: TrainingRequest,
  graph: Graph,
  kept: ReadonlyMap<string, Kept>,
): Promise<ExitEvaluation> {
  // A frozen exit is a feature itself.
  const outputs = graph.outputs.filter(({ name }) => !kept.has(name));
  const session = await backend.compile({ ...graph, outputs });
  const sums = model.exits.map(() => ({ right: 0, loss: 0 }));
  try {
    for (let from = 0; from < validation.count; from += CHECKED) {
      signal?.throwIfAborted();
      const rows = Uint32Array.from({ length: Math.min(CHECKED, validation.count - from) }, (_, i) => from + i);
      const feeds = Object.fromEntries([...kept].map(([name, features]) => [name, gathered(features, rows)]));
      const results = { ...feeds, ...(await session.run(feeds)) };
      for (const [k, { logits }] of model.exits.entries())
        for (const [row, scores] of scoreRows(results[logits] as Tensor<"float32">).entries()) {
          const label = validation.labels[from + row];
          sums[k].right += Number(argmax(scores) === label);
          sums[k].loss += crossEntropyOf(scores, label) / validation.count;
        }
    }
  } finally {
    await session.release();
  }
  return {
    count: validation.count,
    correct: sums.map(({ right }) => right),
    losses: sums.map(({ loss }) => loss),
    open: [],
  };
}

/** Records in one run of the heads. */
const CHECKED = 256;

const scoreRows = ({ dims: [rows, classes], data }: Tensor<"float32">): Float32Array[] =>
  Array.from({ length: rows }, (_, row) => data.subarray(row * classes, (row + 1) * classes));

/** Number of elements in one image's features. */
const featureSize = (frozen: Graph): number =>
  frozen.outputs.reduce((sum, { shape }) => sum + sizeOf((shape ?? []).slice(1) as number[]), 0);

interface Kept {
  readonly dims: readonly number[];
  /** The rows of all records. */
  readonly data: Float32Array;
}

/** The features of every record, in file order. */
async function allFeatures(
  { model, config, signal, onFeatures }: TrainingRequest,
  records: Dataset,
  session: Session,
): Promise<ReadonlyMap<string, Kept>> {
  const kept = new Map<string, Kept>();
  const input = model.graph.inputs[0].name;
  const { name, count, shape } = records;
  for (let from = 0; from < count; from += config.batch) {
    signal?.throwIfAborted();
    const rows = Uint32Array.from({ length: Math.min(config.batch, count - from) }, (_, i) => from + i);
    const data = new Float32Array(rows.length * sizeOf(shape));
    await records.read(rows, data);
    checkPixels({ name, pixels: data }, sizeOf(shape), rows);
    const results = await session.run({ [input]: { dtype: "float32", dims: [rows.length, ...shape], data } });
    for (const [feature, value] of Object.entries(results))
      keepRows(kept, feature, value as Tensor<"float32">, from, count);
    onFeatures?.(from + rows.length, count);
  }
  return kept;
}

function keepRows(kept: Map<string, Kept>, name: string, value: Tensor<"float32">, from: number, count: number): void {
  const dims = value.dims.slice(1);
  const entry = kept.get(name) ?? { dims, data: new Float32Array(count * sizeOf(dims)) };
  entry.data.set(value.data, from * sizeOf(dims));
  kept.set(name, entry);
}

/** Feeds of kept features. Images are not read again. */
function keptFeeds({ train, config }: TrainingRequest, graph: Graph, kept: ReadonlyMap<string, Kept>): FeedSource {
  return {
    graph,
    batches: (from) => labelBatches(train.labels, config, from),
    feeds: async ({ indices }) =>
      Object.fromEntries([...kept].map(([name, features]) => [name, gathered(features, indices)])),
    release: async () => {},
  };
}

async function* labelBatches(
  labels: Int32Array,
  config: TrainingRequest["config"],
  from: BatchPlace,
): AsyncGenerator<TrainingBatch> {
  let order: { readonly epoch: number; readonly records: Uint32Array } | undefined;
  for (const { epoch, step } of places(labels.length, { batch: config.batch, epochs: config.epochs, from })) {
    if (order?.epoch !== epoch) order = { epoch, records: epochOrder(labels.length, config.seed, epoch) };
    const indices = new Uint32Array(order.records.subarray(step * config.batch, (step + 1) * config.batch));
    const chosen = BigInt64Array.from(indices, (i) => BigInt(labels[i]));
    yield { epoch, step, images: new Float32Array(0), labels: chosen, indices };
  }
}

function gathered({ dims, data }: Kept, indices: Uint32Array): Tensor<"float32"> {
  const each = sizeOf(dims);
  const rows = new Float32Array(indices.length * each);
  indices.forEach((index, row) => rows.set(data.subarray(index * each, (index + 1) * each), row * each));
  return { dtype: "float32", dims: [indices.length, ...dims], data: rows };
}
