/** @file Acosh: inverse of the hyperbolic cosine, for x of at least 1. Spec: ONNX Acosh-9. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / sqrt(x^2 - 1)
export const Acosh = unary("Acosh", Math.acosh, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Sqrt", [g.b.op("Sub", [g.b.op("Mul", [g.x, g.x]), like(g, 1)])])], {}, "grad"),
);
