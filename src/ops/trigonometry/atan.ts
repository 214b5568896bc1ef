/** @file Atan: the angle in -pi/2..pi/2 whose tangent is x. Spec: ONNX Atan-7. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / (1 + x^2)
export const Atan = unary("Atan", Math.atan, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Add", [g.b.op("Mul", [g.x, g.x]), like(g, 1)])], {}, "grad"),
);
