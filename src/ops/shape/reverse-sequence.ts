/** @file ReverseSequence: the first elements of each sequence of a batch in reverse order, the rest as they are. Its gradient is
 *  the same move. Spec: ONNX ReverseSequence-10. */
import { stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef } from "../../graph/op.js";
import { axesIn } from "../support/known.js";
import { given } from "../support/nd.js";

const axesOf = (node: Node, rank: number): readonly [batch: number, time: number] =>
  axesIn(
    node,
    [attribute(node, "batch_axis", "int") ?? 1, attribute(node, "time_axis", "int") ?? 0],
    rank,
  ) as readonly [number, number];

function reversed(node: Node, x: NdArray, lengths: NdArray): NdArray {
  const [batch, time] = axesOf(node, x.dims.length);
  const strides = stridesOf(x.dims);
  const along = (i: number, axis: number): number => Math.floor(i / strides[axis]) % x.dims[axis];
  for (const length of lengths.data)
    if (length < 0 || length > x.dims[time])
      throw mismatch(
        node,
        `a sequence length of ${length} lies outside 0..${x.dims[time]}. Give lengths within the time axis.`,
        { length },
      );
  return {
    dims: x.dims,
    data: x.data.map((v, i) => {
      const [t, length] = [along(i, time), lengths.data[along(i, batch)]];
      return t < length ? x.data[i + (length - 1 - 2 * t) * strides[time]] : v;
    }),
  };
}

export const ReverseSequence: OpDef = {
  type: "ReverseSequence",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    axesOf(ctx.node, shape.length);
    return [{ dtype, shape }];
  },
  vjp: ({ b, node, grads: [dy] }) =>
    dy === undefined ? [] : [b.op("ReverseSequence", [dy, node.inputs[1]], node.attributes, "grad")],
  run: (inputs, { node }) => [reversed(node, given(inputs, 0), given(inputs, 1))],
};
