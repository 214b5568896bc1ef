/** @file Asinh: inverse of the hyperbolic sine. Spec: ONNX Asinh-9. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / sqrt(x^2 + 1)
export const Asinh = unary("Asinh", Math.asinh, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Sqrt", [g.b.op("Add", [g.b.op("Mul", [g.x, g.x]), like(g, 1)])])], {}, "grad"),
);
