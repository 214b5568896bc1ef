/** @file Constant folding: nodes whose inputs are all known are computed once, with the reference kernels. */

import { isStatic } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { attribute } from "../attributes.js";
import type { Graph, Node, ValueName, ValueType } from "../graph.js";
import { constantOf, constantType, withShapes } from "../infer.js";
import { volume } from "../limits.js";
import { macsOfNode } from "../node-macs.js";
import type { OpTable } from "../op.js";

/** Larger results stay nodes: a file must not grow by folding an Expand. */
const FOLD_LIMIT = 1 << 20;
/** Steps of the reference kernels that folding one graph may take; what would take more stays nodes. */
const FOLD_STEPS = 2 ** 26;

/** Fold until nothing changes (one pass does, in topological order). Types are inferred along the way. */
export function foldConstants(graph: Graph, ops: OpTable): Graph {
  const typed = withShapes(graph, ops);
  const constants = new Map(typed.initializers);
  const outputs = new Set(typed.outputs.map((o) => o.name));
  let left = FOLD_STEPS;
  const nodes = typed.nodes.filter((node) => {
    const steps = stepsOf(typed, node, ops);
    const stays = steps > left || node.outputs.some((name) => outputs.has(name));
    const folded = stays ? undefined : fold(typed, node, ops, constants);
    if (folded) left -= steps;
    folded?.forEach((t, i) => {
      if (node.outputs[i]) constants.set(node.outputs[i], t);
    });
    return !folded;
  });
  if (nodes.length === typed.nodes.length) return typed;
  const types = new Map(typed.types);
  for (const [name, t] of constants) types.set(name, constantType(t));
  return { ...typed, nodes, initializers: constants, types };
}

/** Steps of a node's reference kernel, at most: elements read and written, taps of a sliding window, multiply-accumulates. */
function stepsOf(graph: Graph, node: Node, ops: OpTable): number {
  const volumeOf = (name: ValueName) =>
    volume((graph.types.get(name)?.shape ?? []).filter((d) => typeof d === "number"));
  const sum = (names: readonly ValueName[]) => names.reduce((total, name) => total + volumeOf(name), 0);
  const taps = ops.get(node).macs ? 1 : volume(attribute(node, "kernel_shape", "ints") ?? []);
  const written = sum(node.outputs) * (node.inputs.length + taps);
  return sum(node.inputs) + written + macsOfNode(node, ops, graph.types, () => 0);
}

/** The outputs of a node as constants, or undefined when they are not known. */
function fold(
  graph: Graph,
  node: Node,
  ops: OpTable,
  constants: ReadonlyMap<ValueName, Tensor>,
): readonly Tensor[] | undefined {
  const types = node.outputs.map((name) => graph.types.get(name));
  const small = (type: ValueType | undefined) => type && isStatic(type.shape) && volume(type.shape) <= FOLD_LIMIT;
  if (!node.outputs.every((name, i) => !name || small(types[i]))) return undefined;
  const known = node.outputs.length === 1 && constantOf(graph, node.outputs[0], graph.types);
  if (known) return [known];
  const inputs = node.inputs.map((name) => (name ? constants.get(name) : undefined));
  if (node.inputs.length === 0 || node.inputs.some((name, i) => name && !inputs[i])) return undefined;
  const arrays = inputs.map((t) => t && { dims: t.dims, data: toNumbers(t) });
  const results = ops.get(node).run(arrays, { node, opset: graph.opset, inputTypes: inputs.map((t) => t?.dtype) });
  return results.map((r, i) => fromNumbers(types[i]?.dtype ?? "float32", r.dims, r.data));
}
