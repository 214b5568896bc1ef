/** @file ReduceSumSquare: sum of squares over axes. Spec: ONNX ReduceSumSquare-18. */
import { like } from "../support/elementwise.js";
import { reduction } from "../support/reduction.js";

export const ReduceSumSquare = reduction(
  "ReduceSumSquare",
  (line) => line.reduce((sum, x) => sum + x * x, 0),
  (g) => g.b.op("Mul", [g.x, g.b.op("Mul", [g.dy, like(g, 2)])], {}, "grad"),
);
