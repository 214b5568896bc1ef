/** @file OneHot: a new axis that is `on` at the index and `off` elsewhere; an index outside the depth gives all `off`.
 *  Spec: ONNX OneHot-11. */
import { type Dim, isStatic, sizeOf } from "../../core/shape.js";
import { toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { type InferContext, inputType, mismatch, type OpDef } from "../../graph/op.js";
import { axesIn, elements, unknownDim } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

const newAxis = (node: Node, rank: number): number => axesIn(node, [attribute(node, "axis", "int") ?? -1], rank + 1)[0];

/** @throws DynnError 'shape/mismatch' unless the depth is one number (ONNX Runtime would read past the end of an empty one) */
function depthOf(ctx: InferContext, axis: number): Dim {
  const { shape } = inputType(ctx, 1);
  if (isStatic(shape) && sizeOf(shape) !== 1)
    throw mismatch(ctx.node, `the depth has shape [${shape}], expected one number. Export the model again.`, { shape });
  const constant = ctx.constant(1);
  const depth = elements(ctx, 1)?.[0] ?? (constant?.data.length === 1 ? toNumbers(constant)[0] : undefined);
  return depth ?? unknownDim(ctx.node, axis);
}

export const OneHot: OpDef = {
  type: "OneHot",
  takes: ["any"],
  infer: (ctx) => {
    const { shape } = inputType(ctx, 0);
    const axis = newAxis(ctx.node, shape.length);
    return [
      { dtype: inputType(ctx, 2).dtype, shape: [...shape.slice(0, axis), depthOf(ctx, axis), ...shape.slice(axis)] },
    ];
  },
  vjp: { none: "its output depends on indices, which are whole numbers" },
  run: (inputs, { node }) => {
    const [indices, depth, [off, on]] = [
      given(inputs, 0),
      given(inputs, 1).data[0],
      given(inputs, 2).data as readonly number[] & Float64Array,
    ];
    const axis = newAxis(node, indices.dims.length);
    const y = ndZeros([...indices.dims.slice(0, axis), depth, ...indices.dims.slice(axis)]);
    const { outer, inner } = aroundAxis(y.dims, axis);
    y.data.fill(off);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const index = Math.trunc(indices.data[o * inner + i]);
        const at = index < 0 ? index + depth : index;
        if (at >= 0 && at < depth) y.data[(o * depth + at) * inner + i] = on;
      }
    return [y];
  },
};
