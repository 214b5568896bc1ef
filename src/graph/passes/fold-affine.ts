/** @file Folds per-channel affine maps (BatchNormalization at inference, a multiplication by constants) into the node before,
 *  where that node can absorb them (convolutions, Gemm). Operators say so themselves: `asAffine`, `absorbAffine`. */
import type { Tensor } from "../../core/tensor.js";
import { consumers, type Graph, type Node, producers } from "../graph.js";
import { constantType, inferContext, inferShapes } from "../infer.js";
import type { OpTable } from "../op.js";

/** Fold once, front to back; a chain folds whole because each result takes its map's place. */
export function foldAffine(graph: Graph, ops: OpTable): Graph {
  let current = inferShapes(graph, ops);
  for (const node of current.nodes) current = foldNode(current, node, ops) ?? current;
  return current;
}

function foldNode(graph: Graph, node: Node, ops: OpTable): Graph | undefined {
  const source = node.inputs[0];
  const affine = ops.get(node).asAffine?.(inferContext(graph, node, graph.types));
  if (!source || !affine || node.outputs.length !== 1 || graph.outputs.some((o) => o.name === source)) return undefined;
  const before = producers(graph).get(source);
  if (!before || consumers(graph).get(source)?.length !== 1) return undefined;
  const absorbed = ops.get(before).absorbAffine?.(inferContext(graph, before, graph.types), affine);
  return absorbed && replace(graph, before, node, absorbed);
}

/** `before` with new constants takes the place of `node`. */
function replace(graph: Graph, before: Node, node: Node, constants: readonly (Tensor | undefined)[]): Graph {
  const initializers = new Map(graph.initializers);
  const types = new Map(graph.types);
  const output = node.outputs[0];
  const inputs = Array.from({ length: Math.max(before.inputs.length, constants.length) }, (_, i) => {
    const value = constants[i];
    if (!value) return before.inputs[i] ?? "";
    const name = `${output}/folded${i}`;
    initializers.set(name, value);
    types.set(name, constantType(value));
    return name;
  });
  const merged: Node = { ...before, inputs, outputs: [output] };
  return {
    ...graph,
    nodes: graph.nodes.flatMap((n) => (n === before ? [] : n === node ? [merged] : [n])),
    initializers,
    types,
  };
}
