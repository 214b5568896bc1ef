/** @file BitwiseNot: every bit of an integer turned over. Spec: ONNX BitwiseNot-18. */
import { inputType, type OpDef } from "../../graph/op.js";
import { checkInteger, INTEGER, INTEGERS, wrapped } from "../support/bits.js";
import { given, ndMap } from "../support/nd.js";

export const BitwiseNot: OpDef = {
  type: "BitwiseNot",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    checkInteger(ctx.node, dtype, INTEGERS);
    return [{ dtype, shape }];
  },
  vjp: INTEGER,
  run: (inputs, { inputTypes }) => [ndMap(given(inputs, 0), (x) => wrapped(~BigInt(x), inputTypes[0] ?? "int64"))],
};
