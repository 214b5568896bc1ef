/** @file GatherElements: one element per index along an axis. Spec: ONNX GatherElements-13. */
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { elementPositions } from "../support/elements.js";
import { zerosLike } from "../support/emit.js";
import { axisOf } from "../support/known.js";
import { given, ndOf } from "../support/nd.js";
import { scatterAdd } from "../support/scatter.js";

function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const [x, indices] = [inputType(ctx, 0), inputType(ctx, 1)];
  const zeros = zerosLike(ctx.b, ctx.node.inputs[0], x.shape, x.dtype);
  const axis = axisOf(ctx.node, x.shape.length, 0);
  return scatterAdd(ctx, {
    data: zeros,
    indices: ctx.node.inputs[1],
    updates: dy,
    axis,
    along: indices.shape[axis] ?? 1,
  });
}

export const GatherElements: OpDef = {
  type: "GatherElements",
  takes: ["T", "index"],
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 1).shape }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => {
    const [x, indices] = [given(inputs, 0), given(inputs, 1)];
    const positions = elementPositions(node, x, indices, axisOf(node, x.dims.length, 0));
    return [
      ndOf(
        indices.dims,
        Float64Array.from(positions, (at) => x.data[at]),
      ),
    ];
  },
};
