/** @file Tile: repeats the tensor along each axis. Spec: ONNX Tile-13. */
import { multiplyDims, sizeOf, stridesOf } from "../../core/shape.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../../graph/op.js";
import { reduceSum, reshapeTo } from "../support/emit.js";
import { noGradient, numbers, unknownDim } from "../support/known.js";
import { given } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

/** dx: each repeated axis stands as [repeats, length], and the repeats are summed. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const shape = inputType(ctx, 0).shape;
  const repeats = numbers(ctx, 1);
  if (!repeats)
    throw noGradient(node, "the repeats are not known before running. Export the model with constant repeats");
  const folded = shape.flatMap((d, i) => (repeats[i] === 1 ? [d] : [repeats[i], d]));
  if (folded.filter((d) => typeof d === "string").length > 1)
    throw noGradient(node, "more than one length is unknown. Export the model with a fixed image size");
  const axes = shape.flatMap((_, i) =>
    repeats[i] === 1 ? [] : [i + repeats.slice(0, i).filter((r) => r !== 1).length],
  );
  return axes.length === 0 ? dy : reduceSum(b, reshapeTo(b, dy, folded), axes, false);
}

const run: OpDef["run"] = (inputs) => {
  const x = given(inputs, 0);
  const dims = x.dims.map((d, i) => d * given(inputs, 1).data[i]);
  const [steps, strides] = [stridesOf(dims), stridesOf(x.dims)];
  const data = Float64Array.from({ length: sizeOf(dims) }, (_, at) => {
    const from = x.dims.reduce((sum, d, axis) => sum + (Math.floor(at / steps[axis]) % d) * strides[axis], 0);
    return x.data[from];
  });
  return [{ dims, data }];
};

export const Tile: OpDef = {
  type: "Tile",
  takes: ["T", "vector"],
  limit: "the gradient needs constant repeats",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const repeats = numbers(ctx, 1);
    if (repeats && (repeats.length !== shape.length || repeats.some((r) => r < 0)))
      throw mismatch(ctx.node, `repeats [${repeats}] do not fit shape [${shape}]. Give one number per axis.`, {
        repeats,
        shape,
      });
    return [
      {
        dtype,
        shape: shape.map((d, i) => (repeats ? multiplyDims([d, repeats[i]]) : unknownDim(ctx.node, i))),
      },
    ];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run,
  propagate: symbolicMove({ run }),
};
