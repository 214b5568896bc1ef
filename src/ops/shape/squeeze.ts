/** @file Squeeze: drops axes of length 1; all of them when no axes are given. Axes are an attribute before opset 13.
 *  Spec: ONNX Squeeze-13. */
import type { Shape } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { unsqueeze } from "../support/emit.js";
import { axesIn, listed, numbers, requiredNumbers } from "../support/known.js";
import { given } from "../support/nd.js";

/** The axes to drop. A named length that is listed is taken to be 1; one that is not listed is taken to be longer. */
function dropped(node: Node, shape: Shape, axes: ArrayLike<number> | undefined): readonly number[] {
  const wanted = listed(node, "axes", axes);
  if (!wanted) return shape.flatMap((d, axis) => (d === 1 ? [axis] : []));
  const drop = axesIn(node, wanted, shape.length);
  const long = drop.find((axis) => typeof shape[axis] === "number" && shape[axis] !== 1);
  if (long === undefined) return drop;
  throw mismatch(
    node,
    `axis ${long} of [${shape}] has length ${shape[long]}, expected 1. Squeeze only axes of length 1.`,
    { shape, axis: long },
  );
}

export const Squeeze: OpDef = {
  type: "Squeeze",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const drop = dropped(ctx.node, shape, ctx.inputs[1] && requiredNumbers(ctx, 1, "axes"));
    return [{ dtype, shape: shape.filter((_, axis) => !drop.includes(axis)) }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    const drop = dropped(ctx.node, inputType(ctx, 0).shape, numbers(ctx, 1));
    return dy === undefined ? [] : [unsqueeze(ctx.b, dy, drop)];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const drop = dropped(node, x.dims, inputs[1]?.data);
    return [{ dims: x.dims.filter((_, axis) => !drop.includes(axis)), data: x.data }];
  },
  propagate: (ctx) => ctx.inputs[0]?.value,
};
