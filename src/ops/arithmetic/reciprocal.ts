/** @file Reciprocal: 1/x. Spec: ONNX Reciprocal-13. */
import { unary } from "../support/elementwise.js";

// dx = -dy * y^2
export const Reciprocal = unary(
  "Reciprocal",
  (x) => 1 / x,
  ({ b, y, dy }) => b.op("Neg", [b.op("Mul", [dy, b.op("Mul", [y, y])])], {}, "grad"),
);
