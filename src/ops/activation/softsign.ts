/** @file Softsign: x / (1 + |x|). Spec: ONNX Softsign-1. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / (1 + |x|)^2
export const Softsign = unary(
  "Softsign",
  (x) => x / (1 + Math.abs(x)),
  (g) => {
    const width = g.b.op("Add", [g.b.op("Abs", [g.x]), like(g, 1)]);
    return g.b.op("Div", [g.dy, g.b.op("Mul", [width, width])], {}, "grad");
  },
);
