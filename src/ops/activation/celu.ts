/** @file Celu: max(0, x) + min(0, alpha * (exp(x / alpha) - 1)). At 0 the gradient is 1. Spec: ONNX Celu-12; Barron
 *  2017. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { like, unary } from "../support/elementwise.js";
import { wherePositive } from "../support/pieces.js";

const alphaOf = (node: Node): number => attribute(node, "alpha", "float") ?? 1;

// Below 0: dx = dy * exp(x / alpha) = dy * (y / alpha + 1)
export const Celu = unary(
  "Celu",
  (x, node) => (x > 0 ? x : alphaOf(node) * Math.expm1(x / alphaOf(node))),
  (g) => {
    const slope = g.b.op("Add", [g.b.op("Div", [g.y, like(g, alphaOf(g.ctx.node))]), like(g, 1)]);
    return wherePositive(g, g.dy, g.b.op("Mul", [g.dy, slope]));
  },
);
