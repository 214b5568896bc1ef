/** @file CastLike: the elements of input 0 in the type of input 1. Spec: ONNX CastLike-15. */
import { inputType, type OpDef } from "../../graph/op.js";
import { castNumbers, castVjp } from "../support/cast.js";
import { given } from "../support/nd.js";

export const CastLike: OpDef = {
  type: "CastLike",
  takes: ["T", "any"],
  infer: (ctx) => [{ dtype: inputType(ctx, 1).dtype, shape: inputType(ctx, 0).shape }],
  vjp: castVjp,
  run: (inputs, { inputTypes }) => [castNumbers(given(inputs, 0), inputTypes[1] ?? "float32")],
  isIdentity: (ctx) => inputType(ctx, 0).dtype === inputType(ctx, 1).dtype,
};
