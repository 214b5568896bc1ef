/** @file Abs: |x|. At 0 the gradient is 0, as in PyTorch. Spec: ONNX Abs-13. */
import { unary } from "../support/elementwise.js";

export const Abs = unary("Abs", Math.abs, ({ b, x, dy }) => b.op("Mul", [dy, b.op("Sign", [x])], {}, "grad"));
