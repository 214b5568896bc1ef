/** @file The onnxruntime-node backend: the fast path on Node.js. The only part of runtime/ that may touch Node. */
import * as ort from "onnxruntime-node";
import type { DType } from "../../core/dtype.js";
import { DynnError, reasonOf } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../core/tensor.js";
import type { Graph } from "../../graph/graph.js";
import { writeModel } from "../../onnx/write.js";
import type { Backend, Session, Tensors } from "../backend.js";
import { checkFeeds } from "../feeds.js";
import { rewritten } from "./rewrites.js";

export interface OrtNodeOptions {
  /** Threads inside one operator; left out: ONNX Runtime's own choice (one per core). */
  readonly threads?: number;
  /** Rewrite graphs for speed (default); false runs them as they are. */
  readonly rewrite?: boolean;
}

/** Threads stop spinning when a run ends. Each session has threads of its own, and those of a session that waits would take the cores from
 *  the one that runs: seven sessions in turn on two cores took 3.5 times as long. */
const QUIET = { force_spinning_stop: "1" };

/** A backend that runs graphs with ONNX Runtime on the CPU. Sessions are deterministic: the same feeds give the same bits. */
export function ortNode(options: OrtNodeOptions = {}): Backend {
  return { name: "ort-node", compile: (graph) => compile(graph, options) };
}

async function compile(graph: Graph, options: OrtNodeOptions): Promise<Session> {
  const bytes = writeModel({ graph: await rewritten(graph, options.rewrite !== false) });
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
    extra: { session: QUIET },
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
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
    run: (feeds) => run(session, graph, feeds),
    release: () => session.release(),
  };
}

async function run(session: ort.InferenceSession, graph: Graph, feeds: Tensors): Promise<Tensors> {
  checkFeeds("ONNX Runtime", graph, feeds);
  const fed = Object.fromEntries(graph.inputs.map(({ name }) => [name, toOrt(feeds[name] as Tensor)]));
  const results = await session.run(fed).catch((cause: unknown) => {
    throw new DynnError(
      "runtime/run",
      `ONNX Runtime failed: ${reasonOf(cause)}. Check the shapes and dtypes of the inputs.`,
      {},
      { cause },
    );
  });
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(value as ort.Tensor)]));
}

const toOrt = (t: Tensor): ort.Tensor => new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.dims);

function fromOrt(value: ort.Tensor): Tensor {
  const data = value.data as Tensor["data"];
  if (data.length !== sizeOf(value.dims))
    throw new Error("bug: ONNX Runtime returned data that do not fill their shape");
  return { dtype: value.type as DType, dims: value.dims, data };
}
