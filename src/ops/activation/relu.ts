/** @file Relu: max(0, x). At 0 the gradient is 0, as in PyTorch. Spec: ONNX Relu-14. */
import { unary } from "../support/elementwise.js";
import { mask } from "../support/mask.js";

// dx = dy where y > 0
export const Relu = unary(
  "Relu",
  (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  ({ b, y, dy, ctx }) => mask(b, b.op("Greater", [y, b.scalar(0, ctx.outputs[0]?.dtype)]), dy, ctx.outputs[0]?.dtype),
);
