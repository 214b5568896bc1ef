/** @file Shape: the dimensions as an int64 list, or a part of them from opset 15. Spec: ONNX Shape-15. */
import type { Shape as Lengths } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { given, ndOf } from "../support/nd.js";

/** Both ends count from the back when negative and are clamped, as in Array.slice. */
const part = <T extends Lengths>(node: Node, shape: T): T =>
  shape.slice(attribute(node, "start", "int") ?? 0, attribute(node, "end", "int")) as readonly unknown[] as T;

export const Shape: OpDef = {
  type: "Shape",
  infer: (ctx) => {
    const value = part(ctx.node, inputType(ctx, 0).shape);
    return [{ dtype: "int64", shape: [value.length], value }];
  },
  vjp: { none: "its output is a list of lengths" },
  run: (inputs, { node }) => {
    const dims = part(node, given(inputs, 0).dims);
    return [ndOf([dims.length], dims)];
  },
};
