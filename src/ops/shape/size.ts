/** @file Size: the number of elements. Spec: ONNX Size-13. */
import { multiplyDims } from "../../core/shape.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { given, ndOf } from "../support/nd.js";

export const Size: OpDef = {
  type: "Size",
  infer: (ctx) => [{ dtype: "int64", shape: [], value: [multiplyDims(inputType(ctx, 0).shape)] }],
  vjp: { none: "its output is a count" },
  run: (inputs) => [ndOf([], [given(inputs, 0).data.length])],
};
