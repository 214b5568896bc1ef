/** @file Multiply-accumulates (MACs) of one node, as its operator counts them from shapes. */
import { isStatic } from "../core/shape.js";
import type { Node, ValueName, ValueType } from "./graph.js";
import type { OpTable } from "./op.js";

/** MACs of a node; 0 for an operator that counts none, and for a node whose first output is left out.
 * @param unknown gives the result for a value whose shape is not known, or throws */
export function macsOfNode(
  node: Node,
  ops: OpTable,
  types: ReadonlyMap<ValueName, ValueType>,
  unknown: (value: ValueName) => number,
): number {
  const { macs } = ops.get(node);
  if (!macs || !node.outputs[0]) return 0;
  const dims = (name: ValueName): readonly number[] | undefined => {
    const shape = types.get(name)?.shape;
    return shape && isStatic(shape) ? shape : undefined;
  };
  const open = [...node.inputs, ...node.outputs].find((name) => name && !dims(name));
  if (open !== undefined) return unknown(open);
  const outputs = node.outputs.flatMap((name) => (name ? [dims(name) ?? []] : []));
  return macs({ node, inputs: node.inputs.map(dims), outputs });
}
