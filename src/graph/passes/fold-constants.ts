/** @file Constant folding: nodes whose inputs are all known are computed once, with the reference kernels. */
import { isStatic, sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import type { Graph, Node, ValueName, ValueType } from "../graph.js";
import { constantOf, constantType, inferShapes } from "../infer.js";
import type { OpTable } from "../op.js";

/** Larger results stay nodes: a file must not grow by folding an Expand. */
const FOLD_LIMIT = 1 << 20;

/** Fold until nothing changes (one pass does, in topological order). Types are inferred along the way. */
export function foldConstants(graph: Graph, ops: OpTable): Graph {
  const typed = inferShapes(graph, ops);
  const constants = new Map(typed.initializers);
  const outputs = new Set(typed.outputs.map((o) => o.name));
  const nodes = typed.nodes.filter((node) => {
    const folded = node.outputs.some((name) => outputs.has(name)) ? undefined : fold(typed, node, ops, constants);
    folded?.forEach((t, i) => {
      if (node.outputs[i]) constants.set(node.outputs[i], t);
    });
    return !folded;
  });
  const types = new Map(typed.types);
  for (const [name, t] of constants) types.set(name, constantType(t));
  return { ...typed, nodes, initializers: constants, types };
}

/** The outputs of a node as constants, or undefined when they are not known. */
function fold(
  graph: Graph,
  node: Node,
  ops: OpTable,
  constants: ReadonlyMap<ValueName, Tensor>,
): readonly Tensor[] | undefined {
  const types = node.outputs.map((name) => graph.types.get(name));
  const small = (type: ValueType | undefined) => type && isStatic(type.shape) && sizeOf(type.shape) <= FOLD_LIMIT;
  if (!node.outputs.every((name, i) => !name || small(types[i]))) return undefined;
  const known = node.outputs.length === 1 && constantOf(graph, node.outputs[0], graph.types);
  if (known) return [known];
  const inputs = node.inputs.map((name) => (name ? constants.get(name) : undefined));
  if (node.inputs.length === 0 || node.inputs.some((name, i) => name && !inputs[i])) return undefined;
  const arrays = inputs.map((t) => t && { dims: t.dims, data: toNumbers(t) });
  const results = ops.get(node).run(arrays, { node, opset: graph.opset, inputTypes: inputs.map((t) => t?.dtype) });
  return results.map((r, i) => fromNumbers(types[i]?.dtype ?? "float32", r.dims, r.data));
}
