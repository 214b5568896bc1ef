/** @file LeakyRelu: x above 0, alpha * x below. At 0 the gradient is alpha, as in PyTorch. Spec: ONNX LeakyRelu-16. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { like, unary } from "../support/elementwise.js";
import { wherePositive } from "../support/pieces.js";

const alphaOf = (node: Node): number => attribute(node, "alpha", "float") ?? 0.01;

export const LeakyRelu = unary(
  "LeakyRelu",
  (x, node) => (x < 0 ? alphaOf(node) * x : x),
  (g) => wherePositive(g, g.dy, g.b.op("Mul", [g.dy, like(g, alphaOf(g.ctx.node))])),
);
