/** @file GlobalMaxPool: the maximum over all positions; of equal ones the first takes the gradient. Spec: ONNX GlobalMaxPool-1. */
import { isStatic } from "../../core/shape.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { globalPool } from "../support/global-pool.js";
import { noGradient } from "../support/known.js";
import { maxGradient } from "../support/max-gradient.js";

export const GlobalMaxPool: OpDef = {
  type: "GlobalMaxPool",
  limit: "the gradient needs a known image size",
  ...globalPool((positions) => positions.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY)),
  vjp: (ctx) => {
    const [dy, kernel] = [ctx.grads[0], inputType(ctx, 0).shape.slice(2)];
    if (dy === undefined) return [];
    if (!isStatic(kernel)) throw noGradient(ctx.node, "the image size is not known. Export the model with a fixed one");
    const [ones, zeros] = [kernel.map(() => 1), kernel.map(() => 0)];
    return [maxGradient(ctx, { kernel, strides: ones, dilations: ones, before: zeros, after: zeros, ceil: false }, dy)];
  },
};
