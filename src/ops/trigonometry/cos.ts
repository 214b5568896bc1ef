/** @file Cos: cosine of an angle in radians. Spec: ONNX Cos-7. */
import { unary } from "../support/elementwise.js";

export const Cos = unary("Cos", Math.cos, ({ b, x, dy }) =>
  b.op("Neg", [b.op("Mul", [dy, b.op("Sin", [x])])], {}, "grad"),
);
