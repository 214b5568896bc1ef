/** @file ReduceLogSum: logarithm of the sum over axes. Spec: ONNX ReduceLogSum-18. */
import { reduction, spread } from "../support/reduction.js";

// dx = dy / sum = dy * exp(-y)
export const ReduceLogSum = reduction(
  "ReduceLogSum",
  (line) => Math.log(line.reduce((a, b) => a + b, 0)),
  (g) => spread(g, g.b.op("Mul", [g.dy, g.b.op("Exp", [g.b.op("Neg", [g.keep(g.y)])])])),
);
