/** @file Range: numbers from start to limit (not reached) by delta. Spec: ONNX Range-11. */
import type { Dim } from "../../core/shape.js";
import { toNumbers } from "../../core/tensor.js";
import { type InferContext, inputType, mismatch, type OpDef } from "../../graph/op.js";
import { elements, unknownDim } from "../support/known.js";
import { given } from "../support/nd.js";

const count = (start: number, limit: number, delta: number): number => Math.max(0, Math.ceil((limit - start) / delta));

/** The scalar input i, known as a number or a name. */
function scalarOf(ctx: InferContext, i: number): Dim | undefined {
  const constant = ctx.constant(i);
  return elements(ctx, i)?.[0] ?? (constant?.data.length === 1 ? toNumbers(constant)[0] : undefined);
}

function lengthOf(ctx: InferContext): Dim {
  const [start, limit, delta] = [scalarOf(ctx, 0), scalarOf(ctx, 1), scalarOf(ctx, 2)];
  if (delta === 0) throw mismatch(ctx.node, "delta is 0. Export the model again.");
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number")
    return count(start, limit, delta);
  return start === 0 && delta === 1 && limit !== undefined ? limit : unknownDim(ctx.node, 0);
}

export const Range: OpDef = {
  type: "Range",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: [lengthOf(ctx)] }],
  vjp: { none: "its length depends on its inputs" },
  run: (inputs) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => given(inputs, i).data[0]) as [number, number, number];
    const data = Float64Array.from({ length: count(start, limit, delta) }, (_, i) => start + i * delta);
    return [{ dims: [data.length], data }];
  },
};
