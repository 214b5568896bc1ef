/** @file Acos: the angle in 0..pi whose cosine is x, for x in -1..1. Spec: ONNX Acos-7. */
import { like, unary } from "../support/elementwise.js";

// dx = -dy / sqrt(1 - x^2)
export const Acos = unary("Acos", Math.acos, (g) => {
  const root = g.b.op("Sqrt", [g.b.op("Sub", [like(g, 1), g.b.op("Mul", [g.x, g.x])])]);
  return g.b.op("Neg", [g.b.op("Div", [g.dy, root])], {}, "grad");
});
