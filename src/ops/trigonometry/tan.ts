/** @file Tan: tangent of an angle in radians. Spec: ONNX Tan-7. */
import { like, unary } from "../support/elementwise.js";

// dx = dy * (1 + y^2)
export const Tan = unary("Tan", Math.tan, (g) =>
  g.b.op("Mul", [g.dy, g.b.op("Add", [g.b.op("Mul", [g.y, g.y]), like(g, 1)])], {}, "grad"),
);
