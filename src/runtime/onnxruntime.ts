/** @file Sessions of ONNX Runtime. Its packages for Node.js and for browsers have the same
 *  interface. */
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor as OrtTensor,
  TensorConstructor,
} from "onnxruntime-common";
import type { DType } from "../core/dtype.js";
import { DynnError, reasonOf } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";
import { type Graph, subgraphs } from "../graph/graph.js";
import { writeModel } from "../onnx/write.js";
import type { Session, Tensors } from "./backend.js";
import { checkFeeds } from "./feeds.js";
import { lowerGroupNormalization } from "./group-normalization.js";
import { oneByOne } from "./one-by-one.js";
import { withTypes } from "./types.js";
import { unsignedWeights } from "./unsigned-weights.js";

/** The exports of both packages that dynn uses. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** With more nodes, the optimizers of ONNX Runtime are switched off. They take time that grows
 * with the square of the nodes. A gradient of 6000 nodes opens in 5 s with them, and in 0.7 s
 * without. */
const OPTIMIZED_NODES = 4096;

/** ONNX Runtime would replace QuantizeLinear and DequantizeLinear by 8-bit kernels, which round in
 * other places, and only in graphs without gradients. This option keeps the answers of the file.
 */
const AS_STATED = { disable_quant_qdq: "1" };

/** With memory patterns, ONNX Runtime allocates one block for a shape that it meets again, beside
 * the blocks of the first run. The gradient of MobileNetV2 for 16 images of 224 x 224 then takes
 * 1165 MB instead of 544 MB, in the same time. */
const MEMORY_PATTERN = false;

const withQuantized = (extra: InferenceSession.SessionOptions["extra"] = {}) => ({
  ...extra,
  session: { ...AS_STATED, ...(typeof extra.session === "object" ? extra.session : {}) },
});

/** A graph in a form that ONNX Runtime opens fast. Without types the time grows with the square
 * of the nodes. A graph of 16 000 nodes opens in 37 s without types, and in 1 s with them. */
export const openable = (graph: Graph): Graph => unsignedWeights(lowerGroupNormalization(withTypes(graph) ?? graph));

/** Opens a session.
 * @param graph the graph that feeds are checked against; ONNX Runtime runs `run` in its place
 * @throws DynnError 'runtime/load' */
export async function openSession(
  runtime: OnnxRuntime,
  { graph, run }: { readonly graph: Graph; readonly run: Graph },
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(writeModel({ graph: run }), {
    logSeverityLevel: 3,
    enableMemPattern: MEMORY_PATTERN,
    ...(countNodes(run) > OPTIMIZED_NODES ? { graphOptimizationLevel: "disabled" as const } : {}),
    ...options,
    extra: withQuantized(options.extra),
  }).catch((cause: unknown) => {
    throw new DynnError(
      "runtime/load",
      `ONNX Runtime refuses the graph "${graph.name}": ${reasonOf(cause)}. Check the model with \`dynn inspect\`.`,
      { graph: graph.name },
      { cause },
    );
  });
  return oneByOne(graph, {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: (feeds) => runSession(runtime, session, graph, feeds),
    release: () => session.release(),
  });
}

/** Number of nodes of a graph and of its sub-graphs. */
export const countNodes = ({ nodes }: Graph): number =>
  nodes.reduce((sum, node) => sum + subgraphs(node).reduce((inner, graph) => inner + countNodes(graph), 1), 0);

async function runSession(
  { Tensor: OrtTensor }: OnnxRuntime,
  session: InferenceSession,
  graph: Graph,
  feeds: Tensors,
): Promise<Tensors> {
  checkFeeds("ONNX Runtime", graph, feeds);
  const toOrt = (t: Tensor): OrtTensor => new OrtTensor(t.dtype as "float32", t.data as Float32Array, t.dims);
  const fed = Object.fromEntries(graph.inputs.map(({ name }) => [name, toOrt(feeds[name])]));
  const results = await session.run(fed).catch((cause: unknown) => {
    throw new DynnError(
      "runtime/run",
      `ONNX Runtime failed: ${reasonOf(cause)}. Check the shapes and dtypes of the inputs.`,
      {},
      { cause },
    );
  });
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]));
}

function fromOrt(value: OrtTensor): Tensor {
  const data = value.data as Tensor["data"];
  if (data.length !== sizeOf(value.dims))
    throw new Error("bug: ONNX Runtime returned data that do not fill their shape");
  return { dtype: value.type as DType, dims: value.dims, data };
}
