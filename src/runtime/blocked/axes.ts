/** @file The axes of a reduction, wherever its opset keeps them. */
import { toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Graph, Node } from "../../graph/graph.js";

/** Sorted, not negative; undefined when they are not constants. */
export function axesOf(graph: Graph, node: Node): readonly number[] | undefined {
  const rank = graph.types.get(node.inputs[0] as string)?.shape.length ?? 0;
  const stored = graph.initializers.get(node.inputs[1] ?? "");
  const axes = attribute(node, "axes", "ints") ?? (stored && [...toNumbers(stored)]);
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}
