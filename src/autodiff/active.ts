/** @file The values that can have a gradient: floats that depend on the chosen values, and
 *  integers that carry quantized numbers. */
import { type DType, isFloat } from "../core/dtype.js";
import type { Graph, Node, ValueName } from "../graph/graph.js";
import type { OpTable } from "../graph/op.js";

/** Each value with the type of its gradient. */
export type ActiveValues = ReadonlyMap<ValueName, DType>;

/** The gradients of all values between seeds and `wrt`, and the values that could have one. */
export interface Reversed {
  readonly grads: ReadonlyMap<ValueName, ValueName>;
  readonly active: ActiveValues;
}

/** Values that depend on `sources` through non-constant floats and quantized numbers only. Other
 * integers (indices, shapes) have no gradient. */
export function activeValues(
  graph: Graph,
  ops: OpTable,
  sources: readonly ValueName[],
  constants: ReadonlySet<ValueName> = new Set(),
): ActiveValues {
  const dtypeOf = (name: ValueName): DType => graph.types.get(name)?.dtype ?? "float32";
  const active = new Map<ValueName, DType>(sources.map((name) => [name, dtypeOf(name)]));
  for (const node of graph.nodes) {
    const input = node.inputs.find((name) => active.has(name));
    if (input === undefined) continue;
    const carried = carriesIntegers(graph, ops, node, active) ? active.get(input) : undefined;
    for (const name of node.outputs) {
      const dtype = dtypeOf(name);
      const real = isFloat(dtype) ? dtype : dtype === "bool" ? undefined : carried;
      if (name && real && !constants.has(name)) active.set(name, real);
    }
  }
  return active;
}

/** Whether integers that a node makes carry the gradient of its inputs: steps of floats, moved
 * steps, and the results of integer arithmetic, which then refuses. */
function carriesIntegers(graph: Graph, ops: OpTable, node: Node, active: ActiveValues): boolean {
  const { vjp, straightThrough } = ops.get(node);
  if (typeof vjp !== "function") return vjp.blocks === true;
  const isStep = (name: ValueName) => active.has(name) && !isFloat(graph.types.get(name)?.dtype ?? "float32");
  return straightThrough === true || node.inputs.some(isStep);
}
