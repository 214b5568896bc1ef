/** @file Clip: x pulled into min..max, each optional. The gradient passes where min <= x <= max, both bounds
 *  included, as torch.clamp does; a bound that is a tensor gets the gradient of the elements it stopped. Spec: ONNX
 *  Clip-13. */
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { unbroadcast } from "../support/emit.js";
import { mask } from "../support/mask.js";
import { given, ndMap } from "../support/nd.js";

/** The gradient of a bound: the sum over the elements for which `stopped` (Less or Greater) holds. */
function boundGradient(ctx: VjpContext, dy: ValueName, i: number, stopped: "Less" | "Greater"): ValueName {
  const { b, node } = ctx;
  const x = inputType(ctx, 0);
  const outside = b.op(stopped, [node.inputs[0], node.inputs[i]]);
  return unbroadcast(b, mask(b, outside, dy, x.dtype), x.shape, inputType(ctx, i).shape);
}

export const Clip: OpDef = {
  type: "Clip",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const { b, node } = ctx;
    // An element lies within the bounds exactly where it was not changed: one comparison instead of two.
    const within = (): ValueName => b.op("Equal", [node.inputs[0], node.outputs[0]]);
    return [
      ctx.needs(0) ? mask(b, within(), dy, inputType(ctx, 0).dtype) : undefined,
      ctx.needs(1) ? boundGradient(ctx, dy, 1, "Less") : undefined,
      ctx.needs(2) ? boundGradient(ctx, dy, 2, "Greater") : undefined,
    ];
  },
  run: (inputs) => {
    const [min, max] = [inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY, inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY];
    return [ndMap(given(inputs, 0), (x) => Math.min(max, Math.max(min, x)))];
  },
};
