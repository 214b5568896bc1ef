/** @file Atanh: inverse of the hyperbolic tangent, for x in -1..1. Spec: ONNX Atanh-9. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / (1 - x^2)
export const Atanh = unary("Atanh", Math.atanh, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Sub", [like(g, 1), g.b.op("Mul", [g.x, g.x])])], {}, "grad"),
);
