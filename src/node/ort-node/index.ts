/** @file The onnxruntime-node backend, which runs graphs fast on Node.js. */
import { DynnError, reasonOf } from "../../core/errors.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph } from "../../graph/graph.js";
import { emptyGraph } from "../../graph/op.js";
import type { Backend, Session } from "../../runtime/backend.js";
import { countNodes, openable, openSession } from "../../runtime/onnxruntime.js";
import { describeMachine } from "../machine.js";
import { freeMemory } from "../memory.js";
import { ort } from "./ort.js";
import { rewritten } from "./rewrites.js";
import { checkTelemetry } from "./telemetry.js";

// Every failure is thrown with its reason. ONNX Runtime would print the reason a second time.
ort.env.logLevel = "fatal";

/** The version of ONNX Runtime. */
export const ENGINE_VERSION = ort.env.versions.node;

/** The execution providers of ONNX Runtime. Operators that a provider lacks run on the CPU. */
export const PROVIDERS = ["cpu", "webgpu", "cuda"] as const;
/** An execution provider of ONNX Runtime. */
export type Provider = (typeof PROVIDERS)[number];

/** How ONNX Runtime runs graphs. */
export interface OrtNodeOptions {
  /** Threads inside one operator. Default: ONNX Runtime's own choice, one per core. */
  readonly threads?: number;
  /** Whether graphs are rewritten for speed. Default: true. `false` runs them as they are. */
  readonly rewrite?: boolean;
  /** The execution provider. Default: cpu. */
  readonly provider?: Provider;
}

/** A backend that runs graphs with ONNX Runtime. Sessions on the CPU are deterministic: the same
 * feeds give the same bits.
 * @returns a backend whose `compile` throws DynnError 'runtime/provider', 'runtime/load',
 *   'runtime/telemetry' */
export function ortNode(options: OrtNodeOptions = {}): Backend {
  const { provider = "cpu" } = options;
  return {
    name: provider === "cpu" ? "ort-node" : `ort-node/${provider}`,
    // On another provider the condition must come back from the device first.
    routes: provider === "cpu",
    ...(provider === "cpu" ? { freeMemory } : {}),
    machine: () => describeMachine(options),
    compile: async (graph) => {
      await checkProvider(provider);
      return compile(graph, options);
    },
  };
}

/** Microseconds that a thread spins while it waits for more work.
 * It is long enough to stay awake between small runs in a row, which saves a tenth at batch 1.
 * A longer time would be slower: each session has its own threads, and waiting threads take the
 * cores from the session that runs. Seven sessions in turn on two cores took 3.5 times as long
 * with threads that spun without end. */
const SPINNING = { intra_op: { spin_duration_us: "500" } };

/** A graph with more nodes runs as it is. Networks in use are smaller; a file made to be slow may
 * be larger. */
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

/** Check that this machine has the provider: run a graph that every provider can run.
 * @throws DynnError 'runtime/provider', 'runtime/telemetry' */
export async function checkProvider(provider: Provider): Promise<void> {
  checkTelemetry();
  const known = probes.get(provider) ?? probe(provider);
  probes.set(provider, known);
  return known;
}

const ADVICE: Readonly<Record<Provider, string>> = {
  cpu: "Install onnxruntime-node for this platform.",
  webgpu: "It needs a GPU with a Vulkan, Metal or Direct3D 12 driver. Otherwise use the provider cpu.",
  cuda: "It needs an NVIDIA GPU and the CUDA files of onnxruntime-node (npm rebuild onnxruntime-node). Otherwise use the provider cpu.",
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
      `provider ${provider}: this machine cannot run it (${firstLine(cause)}). ${ADVICE[provider]}`,
      { provider, options: ["provider"] },
      { cause },
    );
  }
}

/** The first line of ONNX Runtime's message, without source locations. */
const firstLine = (cause: unknown): string =>
  reasonOf(cause instanceof DynnError ? cause.cause : cause)
    .split("\n")[0]
    .replace(/^\S*onnxruntime\S* .*?(?:was false\. |\) )/, "")
    .replace(/\.$/, "");
