/** @file Tanh: hyperbolic tangent. Spec: ONNX Tanh-13. */
import { like, unary } from "../support/elementwise.js";

// dx = dy * (1 - y^2)
export const Tanh = unary("Tanh", Math.tanh, (g) =>
  g.b.op("Mul", [g.dy, g.b.op("Sub", [like(g, 1), g.b.op("Mul", [g.y, g.y])])], {}, "grad"),
);
