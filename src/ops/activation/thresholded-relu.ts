/** @file ThresholdedRelu: x above alpha, 0 elsewhere. At alpha the gradient is 0, as in PyTorch.
 *  Spec: ONNX ThresholdedRelu-10. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType } from "../../graph/op.js";
import { like, unary } from "../support/elementwise.js";
import { mask } from "../support/mask.js";

const alphaOf = (node: Node): number => attribute(node, "alpha", "float") ?? 1;

export const ThresholdedRelu = unary(
  "ThresholdedRelu",
  (x, node) => (x > alphaOf(node) ? x : 0),
  (g) => mask(g.b, g.b.op("Greater", [g.x, like(g, alphaOf(g.ctx.node))]), g.dy, inputType(g.ctx, 0).dtype),
);
