/** @file Asin: the angle in -pi/2..pi/2 whose sine is x, for x in -1..1. Spec: ONNX Asin-7. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / sqrt(1 - x^2)
export const Asin = unary("Asin", Math.asin, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Sqrt", [g.b.op("Sub", [like(g, 1), g.b.op("Mul", [g.x, g.x])])])], {}, "grad"),
);
