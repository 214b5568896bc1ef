/** @file Reads the axes of a reduction, as an attribute or an input, depending on the opset. */
import { toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import type { Layout } from "./layout.js";

/** The axes, sorted and not negative. Undefined when they are not constants. */
export function axesOf(l: Layout, node: Node): readonly number[] | undefined {
  const rank = l.shape(node.inputs[0]).length;
  const stored = l.constant(node.inputs[1]);
  const axes = attribute(node, "axes", "ints") ?? (stored && [...toNumbers(stored)]);
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}
