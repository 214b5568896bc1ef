/** @file Flatten: to two dimensions, split at an axis. Spec: ONNX Flatten-13. */
import { multiplyDims, type Shape, sizeOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { reshapeTo } from "../support/emit.js";
import { given } from "../support/nd.js";

/** Where the second dimension starts, 0..rank (rank itself is allowed here). */
function splitAt(node: Node, shape: Shape): number {
  const axis = attribute(node, "axis", "int") ?? 1;
  const at = axis < 0 ? axis + shape.length : axis;
  if (at >= 0 && at <= shape.length) return at;
  throw mismatch(
    node,
    `axis ${axis} does not fit a tensor of rank ${shape.length}. Use an axis from ${-shape.length} to ${shape.length}.`,
  );
}

export const Flatten: OpDef = {
  type: "Flatten",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const at = splitAt(ctx.node, shape);
    return [{ dtype, shape: [multiplyDims(shape.slice(0, at)), multiplyDims(shape.slice(at))] }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    return dy === undefined ? [] : [reshapeTo(ctx.b, dy, inputType(ctx, 0).shape, ctx.node.inputs[0])];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const at = splitAt(node, x.dims);
    return [{ dims: [sizeOf(x.dims.slice(0, at)), sizeOf(x.dims.slice(at))], data: x.data }];
  },
};
