/** @file The reference backend. It runs each node's reference kernel in float64, and rounds to
 *  the value's dtype after each node. It is slow and simple on purpose, because other backends
 *  are compared with it. */
import type { DType } from "../core/dtype.js";
import { fromNumbers, type Tensor, toNumbers } from "../core/tensor.js";
import type { Graph, Node, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import type { NdArray, OpTable } from "../graph/op.js";
import { opTable } from "../ops/table.js";
import type { Backend, Tensors } from "./backend.js";
import { checkFeeds } from "./feeds.js";
import { oneByOne } from "./one-by-one.js";

interface Value extends NdArray {
  readonly dtype: DType;
}

const toValue = (t: Tensor): Value => ({ dtype: t.dtype, dims: t.dims, data: toNumbers(t) });
const toTensor = (v: Value): Tensor => fromNumbers(v.dtype, v.dims, v.data);

/** Runs one node on values.
 * @throws any error of its kernel */
function runNode(node: Node, graph: Graph, ops: OpTable, values: Map<ValueName, Value>): void {
  const inputs = node.inputs.map((name) => (name ? values.get(name) : undefined));
  const outputs = ops.get(node).run(inputs, { node, opset: graph.opset, inputTypes: inputs.map((v) => v?.dtype) });
  node.outputs.forEach((name, i) => {
    const out = outputs[i];
    if (!name || !out) return;
    const dtype = graph.types.get(name)?.dtype ?? "float32";
    values.set(name, dtype === "float64" ? { ...out, dtype } : toValue(toTensor({ ...out, dtype })));
  });
}

/** Runs a graph on tensors and returns the named values, by default the outputs.
 * @throws DynnError 'runtime/run' when an input is missing or has another form than the graph
 *   takes */
export function runReference(
  graph: Graph,
  feeds: Tensors,
  ops: OpTable = opTable,
  wanted: readonly ValueName[] = graph.outputs.map((o) => o.name),
): Tensors {
  const typed = inferShapes(graph, ops, checkFeeds("reference backend", graph, feeds));
  const values = new Map<ValueName, Value>([...graph.initializers].map(([name, t]) => [name, toValue(t)]));
  for (const { name } of graph.inputs) values.set(name, toValue(feeds[name]));
  for (const node of typed.nodes) runNode(node, typed, ops, values);
  return Object.fromEntries(wanted.map((name) => [name, toTensor(values.get(name) as Value)]));
}

/** Runs graphs by plain loops in float64 and rounds after each node. It is slow; other backends
 * are compared with it. */
export const referenceBackend: Backend = {
  name: "reference",
  compile: async (graph) =>
    oneByOne(graph, {
      inputs: graph.inputs.map((i) => i.name),
      outputs: graph.outputs.map((o) => o.name),
      run: async (feeds) => runReference(graph, feeds),
      release: async () => {},
    }),
};
