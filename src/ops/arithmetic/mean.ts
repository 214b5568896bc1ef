/** @file Mean: the mean of its inputs, with broadcasting. Spec: ONNX Mean-13. */
import { inputType } from "../../graph/op.js";
import { variadic } from "../support/variadic.js";

export const Mean = variadic(
  "Mean",
  (...values) => values.reduce((a, b) => a + b) / values.length,
  (ctx, dy) => {
    const part = ctx.b.op("Mul", [dy, ctx.b.scalar(1 / ctx.inputs.length, inputType(ctx, 0).dtype)], {}, "grad");
    return () => part;
  },
);
