/** @file Pools over all positions: [n, c, ...] to [n, c, 1, ...]. */
import { type Shape, sizeOf } from "../../core/shape.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { given, ndOf } from "./nd.js";

const pooled = <S extends Shape>(shape: S): S => shape.map((d, i) => (i < 2 ? d : 1)) as readonly unknown[] as S;

/** Shape rule and kernel. `fold` reduces the positions of a channel to one number. */
export const globalPool = (fold: (positions: Float64Array) => number): Pick<OpDef, "infer" | "run"> => ({
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: pooled(inputType(ctx, 0).shape) }],
  run: (inputs) => [foldChannels(given(inputs, 0), fold)],
});

function foldChannels(x: NdArray, fold: (positions: Float64Array) => number): NdArray {
  const [dims, size] = [pooled(x.dims), sizeOf(x.dims.slice(2))];
  return ndOf(
    dims,
    Array.from({ length: sizeOf(dims) }, (_, i) => fold(x.data.subarray(i * size, (i + 1) * size))),
  );
}
