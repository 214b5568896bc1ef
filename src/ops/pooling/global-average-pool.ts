/** @file GlobalAveragePool: the mean over all positions. Spec: ONNX GlobalAveragePool-1. */
import { isStatic, sizeOf } from "../../core/shape.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { reduce, slice } from "../support/emit.js";
import { globalPool } from "../support/global-pool.js";
import { cast } from "../support/mask.js";

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
  takes: ["F"],
  ...globalPool((positions) => positions.reduce((sum, v) => sum + v, 0) / positions.length),
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
};
