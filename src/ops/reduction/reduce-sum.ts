/** @file ReduceSum: sum over axes. Spec: ONNX ReduceSum-13. */
import { reduction, spread } from "../support/reduction.js";

export const ReduceSum = reduction(
  "ReduceSum",
  (line) => line.reduce((a, b) => a + b, 0),
  (g) => spread(g, g.dy),
);
