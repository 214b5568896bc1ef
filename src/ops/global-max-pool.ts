/** @file GlobalMaxPool: the maximum over all positions; of equal ones the first takes the gradient. Spec: ONNX GlobalMaxPool-1. */
import { isStatic, type Shape, sizeOf } from "../core/shape.js";
import { inputType, type OpDef } from "../graph/op.js";
import { noGradient } from "./support/known.js";
import { maxGradient } from "./support/max-gradient.js";
import { given, ndOf } from "./support/nd.js";

const pooled = <S extends Shape>(shape: S): S => shape.map((d, i) => (i < 2 ? d : 1)) as readonly unknown[] as S;

export const GlobalMaxPool: OpDef = {
  type: "GlobalMaxPool",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: pooled(inputType(ctx, 0).shape) }],
  vjp: (ctx) => {
    const [dy, kernel] = [ctx.grads[0], inputType(ctx, 0).shape.slice(2)];
    if (dy === undefined) return [];
    if (!isStatic(kernel)) throw noGradient(ctx.node, "the image size is not known. Export the model with a fixed one");
    const [ones, zeros] = [kernel.map(() => 1), kernel.map(() => 0)];
    return [maxGradient(ctx, { kernel, strides: ones, dilations: ones, before: zeros, after: zeros, ceil: false }, dy)];
  },
  run: (inputs) => {
    const x = given(inputs, 0);
    const size = sizeOf(x.dims.slice(2));
    const dims = pooled(x.dims);
    return [
      ndOf(
        dims,
        Array.from({ length: sizeOf(dims) }, (_, i) =>
          x.data.subarray(i * size, (i + 1) * size).reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY),
        ),
      ),
    ];
  },
};
