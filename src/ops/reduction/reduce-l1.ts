/** @file ReduceL1: sum of absolute values over axes. At 0 the gradient is 0, as in PyTorch. Spec: ONNX ReduceL1-18. */
import { reduction } from "../support/reduction.js";

export const ReduceL1 = reduction(
  "ReduceL1",
  (line) => line.reduce((sum, x) => sum + Math.abs(x), 0),
  ({ b, x, dy }) => b.op("Mul", [dy, b.op("Sign", [x])], {}, "grad"),
);
