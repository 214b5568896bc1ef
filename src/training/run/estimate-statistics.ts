/** @file Estimates the running statistics of a trained network again, without a step of training.
 *  Each is the mean over batches. Sources: Herrmann et al., "Channel selection using Gumbel
 *  softmax", ECCV 2020 (its test code, for gates); Izmailov et al. 2018, section 3.2 (for averaged
 *  weights). */
import { sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import type { TrainingBatch } from "../../data/batches.js";
import type { Graph } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import type { RunningStatistic } from "../../graph/op.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { Backend, Session, Tensors } from "../../runtime/backend.js";
import { parametersOf, trainingForm } from "../step/training-form.js";
import { averageOf } from "../step/updates.js";

/** The most batches that are read, from the first one of the run on. */
const BATCHES = 200;

export interface EstimateRequest {
  /** The network in its inference form, with the gates that are deployed. */
  readonly graph: Graph;
  /** The state of the run. */
  readonly state: ReadonlyMap<string, Tensor>;
  readonly batches: AsyncIterable<TrainingBatch>;
  /** Images in a batch. */
  readonly rows: number;
  readonly backend: Backend;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** The statistics under the names that the state has for the evaluated network.
 * @throws DynnError 'runtime/load', 'runtime/run', or the signal's reason */
export async function estimateStatistics(request: EstimateRequest): Promise<ReadonlyMap<string, Tensor>> {
  const { graph, rows, backend } = request;
  const form = trainingForm(graph, { batch: rows, trained: parametersOf(graph), frozen: false });
  if (form.statistics.length === 0) return new Map();
  const outputs = form.statistics.map(({ batch }) => ({ name: batch, dtype: "float32" as const, shape: undefined }));
  const session = await backend.compile(inferShapes(prune({ ...form.graph, outputs }), opTable));
  try {
    const masks = form.masks.map(({ name, shape }) => [name, onesOf(shape)] as const);
    const state = new Map([...request.state, ...masks]);
    const means = await meansOf(session, form.statistics, { ...request, state });
    return new Map([...means].map(([name, mean]) => [nameIn(state, name), tensorOf(graph, name, mean)]));
  } finally {
    await session.release();
  }
}

/** The name under which the state keeps a tensor of the evaluated network: its average, or itself.
 * */
const nameIn = (state: ReadonlyMap<string, Tensor>, name: string): string =>
  state.has(averageOf(name)) ? averageOf(name) : name;

const tensorOf = ({ initializers }: Graph, name: string, mean: Float64Array): Tensor<"float32"> => ({
  dtype: "float32",
  dims: initializers.get(name)?.dims ?? [mean.length],
  data: Float32Array.from(mean),
});

/** A mask that drops nothing. */
const onesOf = (dims: readonly number[]): Tensor =>
  fromNumbers("float32", dims, new Float32Array(sizeOf(dims)).fill(1));

/** The mean over batches of each statistic, the variance unbiased in each batch. */
async function meansOf(
  session: Session,
  statistics: readonly RunningStatistic[],
  { graph, batches, state, signal }: EstimateRequest,
): Promise<ReadonlyMap<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  let count = 0;
  for await (const batch of batches) {
    signal?.throwIfAborted();
    const results = await session.run(feedsOf(session, graph, batch, state));
    for (const { name, batch: value, correction } of statistics) {
      const now = toNumbers(results[value]);
      const sum = sums.get(name) ?? new Float64Array(now.length);
      sums.set(
        name,
        sum.map((v, i) => v + correction * now[i]),
      );
    }
    if (++count === BATCHES) break;
  }
  return new Map([...sums].map(([name, sum]) => [name, sum.map((v) => v / count)]));
}

function feedsOf(session: Session, graph: Graph, { images }: TrainingBatch, state: EstimateRequest["state"]): Tensors {
  const [input] = graph.inputs;
  const shape = (input?.shape ?? []).slice(1) as number[];
  const fed: Tensor = { dtype: "float32", dims: [images.length / sizeOf(shape), ...shape], data: images };
  const all = (name: string): Tensor => state.get(nameIn(state, name)) as Tensor;
  return Object.fromEntries(session.inputs.map((name) => [name, name === input?.name ? fed : all(name)]));
}
