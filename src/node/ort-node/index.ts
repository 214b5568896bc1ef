/** @file The onnxruntime-node backend: the fast path on Node.js. The only part of runtime/ that may touch Node. */
import { DynnError, reasonOf } from "../../core/errors.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph } from "../../graph/graph.js";
import { emptyGraph } from "../../graph/op.js";
import type { Backend, Session } from "../../runtime/backend.js";
import { countNodes, openable, openSession } from "../../runtime/onnxruntime.js";
import { ort } from "./ort.js";
import { rewritten } from "./rewrites.js";
import { checkTelemetry } from "./telemetry.js";

// What fails is thrown, with its reason; printing it as well would only stand before our message.
ort.env.logLevel = "fatal";

/** The version of ONNX Runtime. */
export const ENGINE_VERSION = ort.env.versions.node;

/** Where ONNX Runtime computes. Operators that a provider lacks run on the CPU. */
export const PROVIDERS = ["cpu", "webgpu", "cuda"] as const;
/** Where ONNX Runtime computes. */
export type Provider = (typeof PROVIDERS)[number];

/** How ONNX Runtime runs graphs. */
export interface OrtNodeOptions {
  /** Threads inside one operator; left out: ONNX Runtime's own choice (one per core). */
  readonly threads?: number;
  /** Rewrite graphs for speed (default); false runs them as they are. */
  readonly rewrite?: boolean;
  /** Default: cpu. */
  readonly provider?: Provider;
}

/** A backend that runs graphs with ONNX Runtime. Sessions on the CPU are deterministic: the same feeds give the same bits.
 * @returns `compile` throws DynnError 'runtime/provider', 'runtime/load', 'runtime/telemetry' */
export function ortNode(options: OrtNodeOptions = {}): Backend {
  const { provider = "cpu" } = options;
  return {
    name: provider === "cpu" ? "ort-node" : `ort-node/${provider}`,
    // Elsewhere the condition has to come back from the device first.
    routes: provider === "cpu",
    compile: async (graph) => {
      await checkProvider(provider);
      return compile(graph, options);
    },
  };
}

/** Threads spin this long for more work, in microseconds. Long enough to still be awake for the next of a row of small runs, which saves a
 *  tenth at batch 1. No longer, because each session has threads of its own, and those of a session that waits take the cores from the one
 *  that runs: seven sessions in turn on two cores took 3.5 times as long where threads spun without end. */
const SPINNING = { intra_op: { spin_duration_us: "500" } };

/** Nodes above which a graph runs as it is. No network in use has so many; a file made to be slow may. */
const REWRITTEN_NODES = 2 ** 14;

async function compile(
  graph: Graph,
  { threads, rewrite = true, provider = "cpu" }: OrtNodeOptions,
  quiet = false,
): Promise<Session> {
  const ready = openable(graph);
  const forSpeed = rewrite && provider === "cpu" && countNodes(ready) <= REWRITTEN_NODES;
  const run = await rewritten(ready, forSpeed);
  return openSession(
    ort,
    { graph, run },
    {
      executionProviders: [provider],
      extra: { session: SPINNING },
      ...(quiet ? { logSeverityLevel: 4 as const } : {}),
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    },
  );
}

const probes = new Map<Provider, Promise<void>>();

/** See that this machine has the provider, by a graph that every provider can run.
 * @throws DynnError 'runtime/provider', 'runtime/telemetry' */
export async function checkProvider(provider: Provider): Promise<void> {
  checkTelemetry();
  const known = probes.get(provider) ?? probe(provider);
  probes.set(provider, known);
  return known;
}

const ADVICE: Readonly<Record<Provider, string>> = {
  cpu: "Install onnxruntime-node for this platform.",
  webgpu: "It needs a GPU with a Vulkan, Metal or Direct3D 12 driver; take the provider cpu without one.",
  cuda: "It needs an NVIDIA GPU and the CUDA files of onnxruntime-node (npm rebuild onnxruntime-node); take the provider cpu without them.",
};

async function probe(provider: Provider): Promise<void> {
  if (provider === "cpu") return;
  const b = new GraphBuilder(emptyGraph("probe", 17));
  b.output(b.op("Relu", [b.input("x", "float32", [1])]), "float32", [1]);
  try {
    await (await compile(b.build(), { provider }, true)).release();
  } catch (cause) {
    throw new DynnError(
      "runtime/provider",
      `provider ${provider}: is not there on this machine (${firstLine(cause)}). ${ADVICE[provider]}`,
      { provider, options: ["provider"] },
      { cause },
    );
  }
}

/** What ONNX Runtime says, without its source places. */
const firstLine = (cause: unknown): string =>
  reasonOf(cause instanceof DynnError ? cause.cause : cause)
    .split("\n")[0]
    .replace(/^\S*onnxruntime\S* .*?(?:was false\. |\) )/, "")
    .replace(/\.$/, "");
