/** @file Selu: gamma * x above 0, gamma * alpha * (exp(x) - 1) below. The constants are the float32
 *  numbers of the specification. Spec: ONNX Selu-6; Klambauer et al. 2017. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { like, unary } from "../support/elementwise.js";
import { wherePositive } from "../support/pieces.js";

const alphaOf = (node: Node): number => attribute(node, "alpha", "float") ?? 1.6732631921768188;
const gammaOf = (node: Node): number => attribute(node, "gamma", "float") ?? 1.0507010221481323;

// Below 0: dx = dy * gamma * alpha * exp(x) = dy * (y + gamma * alpha)
export const Selu = unary(
  "Selu",
  (x, node) => gammaOf(node) * (x > 0 ? x : alphaOf(node) * Math.expm1(x)),
  (g) => {
    const [gamma, alpha] = [gammaOf(g.ctx.node), alphaOf(g.ctx.node)];
    const slope = wherePositive(g, like(g, gamma), g.b.op("Add", [g.y, like(g, gamma * alpha)]));
    return g.b.op("Mul", [g.dy, slope], {}, "grad");
  },
);
