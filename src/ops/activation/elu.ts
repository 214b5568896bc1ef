/** @file Elu: x above 0, alpha * (exp(x) - 1) below. At 0 the gradient is alpha, as in PyTorch. Spec: ONNX Elu-6. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { like, unary } from "../support/elementwise.js";
import { wherePositive } from "../support/pieces.js";

const alphaOf = (node: Node): number => attribute(node, "alpha", "float") ?? 1;

// Below 0: dx = dy * alpha * exp(x) = dy * (y + alpha), which cannot overflow on the other side.
export const Elu = unary(
  "Elu",
  (x, node) => (x > 0 ? x : alphaOf(node) * Math.expm1(x)),
  (g) => wherePositive(g, g.dy, g.b.op("Mul", [g.dy, g.b.op("Add", [g.y, like(g, alphaOf(g.ctx.node))])])),
);
