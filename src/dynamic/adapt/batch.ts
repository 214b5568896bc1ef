/** @file A batch that the file holds as a number becomes open, and the answers are compared with
 *  those of the file. A batch of 1 that cannot be opened stays, and images run one by one. */
import { DynnError } from "../../core/errors.js";
import { uniform } from "../../core/rng.js";
import { isStatic, sizeOf } from "../../core/shape.js";
import { fromNumbers, toNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import { macsOf, nodeMacs } from "../../graph/cost.js";
import type { Graph, ValueInfo, ValueName, ValueType } from "../../graph/graph.js";
import { constantType, inferShapes } from "../../graph/infer.js";
import type { OpTable } from "../../graph/op.js";
import type { Backend, Tensors } from "../../runtime/backend.js";
import { runReference } from "../../runtime/reference.js";
import type { AdaptContext, Adapted, Adapter, UncheckedBatch } from "./adapter.js";
import { openNode } from "./batch-nodes.js";

/** A prime that is seldom a size in a network. */
const WIDE = 23;

/** Larger networks are not run on reading: the reference backend would take seconds. */
const MOST_CHECKED_MACS = 100e6;
/** Elements of all values together: a batch of thousands is slow without any product. */
const MOST_CHECKED_ELEMENTS = 4e6;

/** Of the reference backend, which computes in float64. */
const READING_TOLERANCE = 1e-5;
/** Of an engine that may add in another order at another batch. */
const BACKEND_TOLERANCE = 1e-4;

/** Opens the batch of a file whose nodes hold the batch as a number (Reshape to [1,48]). A batch
 * of 1 stays where that is not possible.
 * @throws DynnError 'model/input' for a larger batch, when a node holds it in a form that cannot
 *   be opened, or when the answers of the open graph differ from those of the file */
export const openBatch: Adapter = (graph, context) => {
  const fixed = fixedInput(graph);
  if (!fixed) return undefined;
  let { closed } = context;
  try {
    if (closed === undefined) return opened(graph, fixed, context);
  } catch (error) {
    closed = whyClosed(error);
  }
  const change = `dynn runs one image at a time, because ${closed}.`;
  return { graph: { ...graph, inputs: [fixed] }, change, closed };
};

/** Why a batch of 1 cannot be opened.
 * @throws any other error */
export function whyClosed(error: unknown): string {
  if (error instanceof DynnError && error.detail.batch === 1) return error.detail.because as string;
  throw error;
}

/** @throws DynnError 'model/input' */
function opened(graph: Graph, fixed: Fixed, { ops, name }: AdaptContext): Adapted | undefined {
  const { graph: opened, changed, elements } = openNodes(graph, fixed, ops, name);
  if (changed.length === 0) return undefined;
  const file = { ...graph, inputs: [fixed] };
  const head = `${changed.join(", ")}: the batch of ${fixed.shape[0]} is a number in the file. dynn opened it, `;
  const checked = `${head}and checked that the answers are the file's own.`;
  const macs = macsOf(file, graph.outputs.map(nameOf), nodeMacs(file, ops));
  if (macs > MOST_CHECKED_MACS || elements > MOST_CHECKED_ELEMENTS) {
    const change = `${head}by the sizes alone: the network is too large to run on reading.`;
    return { graph: opened, change, unchecked: { file, opened, name, change, checked } };
  }
  const { feeds, judge } = comparison({ file, opened, name }, READING_TOLERANCE);
  judge(feeds.map(({ graph: one, tensors }) => runReference(one, tensors, ops)));
  return { graph: opened, change: checked };
}

/** @param because what keeps the batch closed, as part of a sentence */
const closed = (name: string, because: string, batch: number, cause?: unknown): DynnError =>
  new DynnError(
    "model/input",
    `${name}: ${because}. Export the model with a dynamic batch.`,
    { batch, because },
    { cause },
  );

const nameOf = ({ name }: ValueInfo): ValueName => name;

type Fixed = ValueInfo & { readonly shape: readonly number[] };

/** The input at the batch of the file. Undefined where no number stands for the batch. */
function fixedInput({ inputs, outputs }: Graph): Fixed | undefined {
  const [input] = inputs;
  const [batch, ...dims] = input?.shape ?? [];
  const baked = typeof batch === "number" ? batch : outputs.some(({ shape }) => shape?.[0] === 1) ? 1 : undefined;
  if (inputs.length !== 1 || baked === undefined || dims.length === 0 || !isStatic(dims)) return undefined;
  return { ...input, shape: [baked, ...dims] };
}

interface OpenedNodes {
  /** The graph with each node open for any batch. */
  readonly graph: Graph;
  readonly changed: readonly string[];
  /** Number of elements of all values at the batch of the file. */
  readonly elements: number;
}

/** @throws DynnError 'model/input' */
function openNodes(graph: Graph, fixed: Fixed, ops: OpTable, name: string): OpenedNodes {
  const [batch, ...dims] = fixed.shape as [number, ...number[]];
  const untyped = { ...graph, outputs: graph.outputs.map((o) => ({ ...o, shape: undefined })), types: new Map() };
  const narrow = inferShapes({ ...untyped, inputs: [fixed] }, ops).types;
  const wide = new Map<ValueName, ValueType>([...graph.initializers].map(([key, t]) => [key, constantType(t)]));
  wide.set(fixed.name, { dtype: fixed.dtype, shape: [batch * WIDE, ...dims] });
  const b = new GraphBuilder({ ...untyped, nodes: [] });
  for (const node of graph.nodes) for (const output of node.outputs) b.reserve(output);
  const changed: string[] = [];
  const grows = (value: ValueName) => String(wide.get(value)?.shape) !== String(narrow.get(value)?.shape);
  for (const node of graph.nodes)
    try {
      if (openNode({ graph, ops, b, narrow, wide }, node)) changed.push(showNode(node));
      const [made] = node.outputs;
      // What all images share would make each answer depend on the others.
      if (batch === 1 && node.inputs.some(grows) && !grows(made) && narrow.get(made)?.dtype === "float32")
        throw new Error(made);
    } catch (cause) {
      throw closed(name, `${showNode(node)} works for a batch of ${batch} only`, batch, cause);
    }
  const elements = [...narrow.values()].reduce((sum, { shape }) => sum + (isStatic(shape) ? sizeOf(shape) : 0), 0);
  return { graph: { ...b.build(), inputs: [{ ...fixed, shape: ["n", ...dims] }] }, changed, elements };
}

/** The graph of a file, and that graph for any batch. */
type BatchPair = Pick<UncheckedBatch, "file" | "opened" | "name">;

interface Comparison {
  /** Two batches of the file's size alone, and both at once in the open graph. */
  readonly feeds: readonly { readonly graph: Graph; readonly tensors: Tensors }[];
  /** @param results of the three runs, in order
   * @throws DynnError 'model/input' when answers differ */
  readonly judge: (results: readonly Tensors[]) => void;
}

/** @param tolerance largest difference, as a share of the largest answer */
function comparison({ file, opened, name }: BatchPair, tolerance: number): Comparison {
  const [input] = file.inputs as [Fixed];
  const [batch, ...dims] = input.shape;
  const size = batch * sizeOf(dims);
  const pixels = uniform({ seed: 0, sample: 0, purpose: "test", step: 0 }, 2 * size);
  const feed = (graph: Graph, count: number, data: Float32Array) => ({
    graph,
    tensors: { [input.name]: fromNumbers("float32", [count, ...dims], data) },
  });
  const each = [0, 1].map((i) => feed(file, batch, pixels.slice(i * size, (i + 1) * size)));
  const judge = ([one, two, both]: readonly Tensors[]): void => {
    for (const output of file.outputs.map(nameOf)) {
      const got = toNumbers(both[output]);
      const expected = [one, two].flatMap((results) => [...toNumbers(results[output])]);
      const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
      if (got.length === expected.length && expected.every((v, i) => Math.abs(v - got[i]) <= tolerance * scale))
        continue;
      throw closed(name, `with another batch than ${batch} the output "${output}" differs`, batch);
    }
  };
  return { feeds: [...each, feed(opened, 2 * batch, pixels)], judge };
}

/** Compares the answers of a graph whose batch was opened by sizes alone with those of its file.
 * @throws DynnError 'model/input' when answers differ, 'runtime/load', 'runtime/run' */
export async function checkBatch(unchecked: UncheckedBatch, backend: Backend): Promise<void> {
  const { feeds, judge } = comparison(unchecked, BACKEND_TOLERANCE);
  const results: Tensors[] = [];
  for (const { graph, tensors } of feeds) {
    const session = await backend.compile(graph);
    try {
      results.push(await session.run(tensors));
    } finally {
      await session.release();
    }
  }
  judge(results);
}
