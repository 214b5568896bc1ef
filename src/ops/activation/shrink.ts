/** @file Shrink: x pulled towards 0 by `bias` where |x| > lambd, 0 elsewhere. At the bounds the gradient is 0, as in
 *  torch.nn.functional.softshrink and hardshrink. Spec: ONNX Shrink-9. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType } from "../../graph/op.js";
import { like, unary } from "../support/elementwise.js";
import { mask } from "../support/mask.js";

const lambdOf = (node: Node): number => attribute(node, "lambd", "float") ?? 0.5;

export const Shrink = unary(
  "Shrink",
  (x, node) =>
    x > lambdOf(node) || x < -lambdOf(node) ? x - Math.sign(x) * (attribute(node, "bias", "float") ?? 0) : 0,
  (g) => {
    const outside = g.b.op("Greater", [g.b.op("Abs", [g.x]), like(g, lambdOf(g.ctx.node))]);
    return mask(g.b, outside, g.dy, inputType(g.ctx, 0).dtype);
  },
);
