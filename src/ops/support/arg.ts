/** @file ArgMax and ArgMin: the index of the best element along an axis; the first of equals, or the last on request. */
import { attribute } from "../../graph/attributes.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { axisOf } from "./known.js";
import { aroundAxis, given, ndZeros } from "./nd.js";

function argBest(x: NdArray, axis: number, last: boolean, beats: (a: number, b: number) => boolean): NdArray {
  const { outer, length, inner } = aroundAxis(x.dims, axis);
  const y = ndZeros(x.dims.map((d, i) => (i === axis ? 1 : d)));
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => x.data[(o * length + k) * inner + i];
      let best = 0;
      for (let k = 1; k < length; k++) if (beats(at(k), at(best)) || (last && at(k) === at(best))) best = k;
      y.data[o * inner + i] = best;
    }
  return y;
}

/** An operator that names the element no other `beats`. */
export const arg = (type: string, beats: (a: number, b: number) => boolean): OpDef => ({
  type,
  infer: (ctx) => {
    const { shape } = inputType(ctx, 0);
    const axis = axisOf(ctx.node, shape.length, 0);
    const keep = (attribute(ctx.node, "keepdims", "int") ?? 1) === 1;
    return [{ dtype: "int64", shape: shape.flatMap((d, i) => (i !== axis ? [d] : keep ? [1] : [])) }];
  },
  vjp: { none: "its output is an index" },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const axis = axisOf(node, x.dims.length, 0);
    const y = argBest(x, axis, attribute(node, "select_last_index", "int") === 1, beats);
    return [(attribute(node, "keepdims", "int") ?? 1) === 1 ? y : { ...y, dims: y.dims.filter((_, i) => i !== axis) }];
  },
});
