/** @file Removes nodes that return their input unchanged at inference (Identity, Dropout). */
import type { Graph, ValueName } from "../graph.js";
import { inferContext, withShapes } from "../infer.js";
import type { OpTable } from "../op.js";

/** Consumers of a dropped node read its input instead. A node that makes a graph output stays, so names of outputs hold. */
export function dropIdentities(graph: Graph, ops: OpTable): Graph {
  const typed = withShapes(graph, ops);
  const outputs = new Set(typed.outputs.map((o) => o.name));
  const alias = new Map<ValueName, ValueName>();
  const nodes = typed.nodes.flatMap((original) => {
    const node = original.inputs.some((name) => alias.has(name))
      ? { ...original, inputs: original.inputs.map((name) => alias.get(name) ?? name) }
      : original;
    const dropped =
      ops.get(node).isIdentity?.(inferContext(typed, node, typed.types)) &&
      !node.outputs.some((name) => outputs.has(name));
    if (!dropped) return [node];
    alias.set(node.outputs[0], node.inputs[0]);
    return [];
  });
  return alias.size > 0 ? { ...typed, nodes } : typed;
}
