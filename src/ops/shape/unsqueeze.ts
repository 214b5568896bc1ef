/** @file Unsqueeze: adds axes of length 1 at the given places of the result. Axes are an attribute before opset 13.
 *  Spec: ONNX Unsqueeze-13. */
import type { Dim, Shape } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { squeeze } from "../support/emit.js";
import { axesIn, listed, numbers, requiredNumbers } from "../support/known.js";
import { given } from "../support/nd.js";

function added(node: Node, rank: number, axes: ArrayLike<number> | undefined): readonly number[] {
  const wanted = listed(node, "axes", axes) ?? [];
  return axesIn(node, wanted, rank + wanted.length);
}

function widened(shape: Shape, axes: readonly number[]): Dim[] {
  const rest = [...shape];
  return Array.from({ length: shape.length + axes.length }, (_, axis) =>
    axes.includes(axis) ? 1 : (rest.shift() as Dim),
  );
}

export const Unsqueeze: OpDef = {
  type: "Unsqueeze",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const axes = added(ctx.node, shape.length, ctx.inputs[1] && requiredNumbers(ctx, 1, "axes"));
    return [{ dtype, shape: widened(shape, axes) }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    return dy === undefined
      ? []
      : [squeeze(ctx.b, dy, added(ctx.node, inputType(ctx, 0).shape.length, numbers(ctx, 1)))];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    return [{ dims: widened(x.dims, added(node, x.dims.length, inputs[1]?.data)) as number[], data: x.data }];
  },
  propagate: (ctx) => ctx.inputs[0]?.value,
};
