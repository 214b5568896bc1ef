/** @file Cast: the elements in another type. Spec: ONNX Cast-13. */
import { inputType, type OpDef } from "../../graph/op.js";
import { castNumbers, castVjp, targetOf } from "../support/cast.js";
import { given } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

const run: OpDef["run"] = (inputs, { node }) => [castNumbers(given(inputs, 0), targetOf(node))];

export const Cast: OpDef = {
  type: "Cast",
  infer: (ctx) => [{ dtype: targetOf(ctx.node), shape: inputType(ctx, 0).shape }],
  vjp: castVjp,
  run,
  // A cast to boolean changes elements; the others move them.
  propagate: (ctx, output) => (output.dtype === "bool" ? undefined : symbolicMove({ run })(ctx, output)),
  isIdentity: (ctx) => targetOf(ctx.node) === inputType(ctx, 0).dtype,
};
