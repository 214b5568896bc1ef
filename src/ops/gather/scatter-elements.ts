/** @file ScatterElements: writes (or from opset 16 adds, multiplies ...) one element per index along an axis.
 *  Where plain writes repeat an index the last one wins, as in ONNX Runtime. Spec: ONNX ScatterElements-18. */
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { elementPositions } from "../support/elements.js";
import { zerosLike } from "../support/emit.js";
import { axisOf } from "../support/known.js";
import { given } from "../support/nd.js";
import { addsInto, reduceInto } from "../support/reduce-into.js";

/** dData loses what was overwritten; dUpdates is what lies at the indices (no index may repeat when writing). */
function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const adds = addsInto(node);
  const [indices, updates] = [node.inputs[1], inputType(ctx, 2)];
  const axis = { axis: int(axisOf(node, inputType(ctx, 0).shape.length, 0)) };
  const erased = () =>
    b.op("ScatterElements", [dy, indices, zerosLike(b, indices, updates.shape, updates.dtype)], axis, "grad");
  return [
    ctx.needs(0) ? (adds ? dy : erased()) : undefined,
    undefined,
    ctx.needs(2) ? b.op("GatherElements", [dy, indices], axis, "grad") : undefined,
  ];
}

export const ScatterElements: OpDef = {
  type: "ScatterElements",
  takes: ["T", "index", "T"],
  limit: "the reductions mul, min and max have no gradient",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => {
    const [x, indices, updates] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const reduce = reduceInto(node);
    const data = Float64Array.from(x.data);
    elementPositions(node, x, indices, axisOf(node, x.dims.length, 0)).forEach((at, i) => {
      data[at] = reduce(data[at], updates.data[i]);
    });
    return [{ dims: x.dims, data }];
  },
};
