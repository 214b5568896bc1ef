/** @file GlobalAveragePool: the mean over all positions. Spec: ONNX GlobalAveragePool-1. */
import { isStatic, type Shape, sizeOf } from "../core/shape.js";
import type { ValueName } from "../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../graph/op.js";
import { reduce, slice } from "./support/emit.js";
import { cast } from "./support/mask.js";
import { given, ndOf } from "./support/nd.js";

const pooled = <S extends Shape>(shape: S): S => shape.map((d, i) => (i < 2 ? d : 1)) as readonly unknown[] as S;

/** dx = dy / positions everywhere: divided while small, then expanded. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { dtype, shape } = inputType(ctx, 0);
  const spatial = shape.slice(2);
  if (isStatic(spatial))
    return b.op(
      "Expand",
      [b.op("Mul", [dy, b.scalar(1 / sizeOf(spatial), dtype)]), b.ints([1, 1, ...spatial])],
      {},
      "grad",
    );
  const size = b.op("Shape", [node.inputs[0]]);
  const count = reduce(b, "ReduceProd", slice(b, size, { starts: [2], ends: [shape.length], axes: [0] }), [0], false);
  return b.op("Expand", [b.op("Div", [dy, cast(b, count, dtype)]), size], {}, "grad");
}

export const GlobalAveragePool: OpDef = {
  type: "GlobalAveragePool",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: pooled(inputType(ctx, 0).shape) }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs) => {
    const x = given(inputs, 0);
    const size = sizeOf(x.dims.slice(2));
    const dims = pooled(x.dims);
    return [
      ndOf(
        dims,
        Array.from(
          { length: sizeOf(dims) },
          (_, i) => x.data.subarray(i * size, (i + 1) * size).reduce((sum, v) => sum + v, 0) / size,
        ),
      ),
    ];
  },
};
