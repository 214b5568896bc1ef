/** @file HardSigmoid: alpha * x + beta pulled into 0..1. Where it is exactly 0 or 1 the gradient is 0, as in PyTorch.
 *  Spec: ONNX HardSigmoid-6. */
import { attribute } from "../../graph/attributes.js";
import { like, unary } from "../support/elementwise.js";

export const HardSigmoid = unary(
  "HardSigmoid",
  (x, node) => {
    const [alpha, beta] = [attribute(node, "alpha", "float") ?? 0.2, attribute(node, "beta", "float") ?? 0.5];
    return Math.max(0, Math.min(1, alpha * x + beta));
  },
  (g) => {
    const { b, y, dy } = g;
    const inside = b.op("And", [b.op("Greater", [y, like(g, 0)]), b.op("Less", [y, like(g, 1)])]);
    const slope = b.op("Where", [inside, like(g, attribute(g.ctx.node, "alpha", "float") ?? 0.2), like(g, 0)]);
    return b.op("Mul", [dy, slope], {}, "grad");
  },
);
