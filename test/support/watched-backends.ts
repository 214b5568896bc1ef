/** @file Backends that show which nodes run: one fills weights with NaN, one counts nodes by ONNX Runtime's profiler. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { type Graph, withSubgraphs } from "../../src/graph/graph.js";
import { ort } from "../../src/node/ort-node/ort.js";
import type { Backend } from "../../src/runtime/backend.js";
import { openSession } from "../../src/runtime/onnxruntime.js";

/** A graph whose constants of these names, in sub-graphs too, hold NaN. */
export function poisoned(graph: Graph, names: ReadonlySet<string>): Graph {
  const fill = (t: Tensor): Tensor => fromNumbers(t.dtype, t.dims, new Float32Array(t.data.length).fill(Number.NaN));
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, t]) => [name, names.has(name) ? fill(t) : t])),
    nodes: graph.nodes.map((node) => withSubgraphs(node, (inner) => poisoned(inner, names))),
  };
}

/** Every graph is poisoned before it is opened. */
export const poisonous = (backend: Backend, names: readonly string[]): Backend => ({
  ...backend,
  compile: (graph) => backend.compile(poisoned(graph, new Set(names))),
});

/** A backend of stock ONNX Runtime that counts the nodes of an operator that have run. Read the count after all sessions are released. */
export function counting(opType: string, prefix: string): { readonly backend: Backend; readonly taken: () => number } {
  const files = () => readdirSync(dirname(prefix)).filter((file) => file.startsWith(basename(prefix)));
  const count = (file: string): number => {
    const path = join(dirname(prefix), file);
    const events = JSON.parse(readFileSync(path, "utf8")) as { cat: string; args?: { op_name?: string } }[];
    rmSync(path);
    return events.filter(({ cat, args }) => cat === "Node" && args?.op_name === opType).length;
  };
  let sessions = 0;
  const compile: Backend["compile"] = async (graph) => {
    let opened: { endProfiling(): void } | undefined;
    const create = async (...args: Parameters<typeof ort.InferenceSession.create>) => {
      const session = await ort.InferenceSession.create(...args);
      opened = session;
      return session;
    };
    const runtime = { ...ort, InferenceSession: { create } } as unknown as Parameters<typeof openSession>[0];
    const session = await openSession(
      runtime,
      { graph, run: graph },
      {
        enableProfiling: true,
        profileFilePrefix: `${prefix}${sessions++}`,
        graphOptimizationLevel: "disabled",
        intraOpNumThreads: 1,
      },
    );
    return {
      ...session,
      release: async () => {
        opened?.endProfiling();
        await session.release();
      },
    };
  };
  return {
    backend: { name: "counting", routes: true, compile },
    taken: () => files().reduce((sum, file) => sum + count(file), 0),
  };
}
