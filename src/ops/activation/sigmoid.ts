/** @file Sigmoid: 1 / (1 + exp(-x)), without overflow for large |x|. Spec: ONNX Sigmoid-13. */
import { like, unary } from "../support/elementwise.js";
import { sigmoid } from "../support/scalar.js";

// dx = dy * y * (1 - y)
export const Sigmoid = unary("Sigmoid", sigmoid, (g) =>
  g.b.op("Mul", [g.dy, g.b.op("Mul", [g.y, g.b.op("Sub", [like(g, 1), g.y])])], {}, "grad"),
);
