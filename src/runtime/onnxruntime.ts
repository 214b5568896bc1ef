/** @file Sessions of ONNX Runtime, in whatever package it comes: Node's and the browser's have one interface. */
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
import { withTypes } from "./types.js";

/** What both packages export. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** Nodes above which ONNX Runtime's optimizers are left out. They take time that grows with the square of the nodes: 5 s for a gradient of
 *  6000, which opens in 0.7 s without. */
const OPTIMIZED_NODES = 4096;

/** A graph as ONNX Runtime can open it in time. Without types it takes time that grows with the square of the nodes: 37 s for 16 000, which
 *  open in 1 s with them. */
export const openable = (graph: Graph): Graph => lowerGroupNormalization(withTypes(graph) ?? graph);

/** Open a session.
 * @param graph what feeds are checked against; `run` is what runs in its place
 * @throws DynnError 'runtime/load' */
export async function openSession(
  runtime: OnnxRuntime,
  { graph, run }: { readonly graph: Graph; readonly run: Graph },
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(writeModel({ graph: run }), {
    logSeverityLevel: 3,
    ...(countNodes(run) > OPTIMIZED_NODES ? { graphOptimizationLevel: "disabled" as const } : {}),
    ...options,
  }).catch((cause: unknown) => {
    throw new DynnError(
      "runtime/load",
      `ONNX Runtime refuses the graph "${graph.name}": ${reasonOf(cause)}. Check the model with \`dynn inspect\`.`,
      { graph: graph.name },
      { cause },
    );
  });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: (feeds) => runSession(runtime, session, graph, feeds),
    release: () => session.release(),
  };
}

/** Nodes of a graph and of those in it. */
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
