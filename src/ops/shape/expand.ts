/** @file Expand: broadcasts to a shape. Spec: ONNX Expand-13. */
import { broadcastShapes } from "../../core/shape.js";
import { showNode } from "../../graph/attributes.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { unbroadcast } from "../support/emit.js";
import { elements, unknown, unknownDim } from "../support/known.js";
import { broadcastOffsets, given } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

const run: OpDef["run"] = (inputs, { node }) => {
  const x = given(inputs, 0);
  const dims = broadcastShapes(x.dims, [...given(inputs, 1).data], showNode(node)) as number[];
  return [{ dims, data: Float64Array.from(broadcastOffsets(x.dims, dims), (at) => x.data[at]) }];
};

export const Expand: OpDef = {
  type: "Expand",
  takes: ["T", "vector"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const rank = inputType(ctx, 1).shape[0];
    if (typeof rank !== "number" || rank > 64) throw unknown(ctx.node, "the rank of the result is not known");
    const target = elements(ctx, 1) ?? Array.from({ length: rank }, (_, i) => unknownDim(ctx.node, i));
    return [{ dtype, shape: broadcastShapes(shape, target, showNode(ctx.node)) }];
  },
  vjp: (ctx) => {
    const [dy, y] = [ctx.grads[0], ctx.outputs[0]];
    return dy === undefined || !y ? [] : [unbroadcast(ctx.b, dy, y.shape, inputType(ctx, 0).shape)];
  },
  run,
  propagate: symbolicMove({ run }),
};
