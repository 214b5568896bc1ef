/** @file Sqrt: square root. At 0 the gradient is infinite, as in PyTorch. Spec: ONNX Sqrt-13. */
import { like, unary } from "../support/elementwise.js";

// dx = dy / (2 y)
export const Sqrt = unary("Sqrt", Math.sqrt, (g) =>
  g.b.op("Div", [g.dy, g.b.op("Mul", [g.y, like(g, 2)])], {}, "grad"),
);
