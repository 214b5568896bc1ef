/** @file MaxUnpool: writes each element at its flat index in a tensor of zeros; a repeated index keeps the last. Spec: ONNX
 *  MaxUnpool-11. */
import { present } from "../../core/present.js";
import { type Dim, type Shape, sizeOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { wrapIndex } from "../support/elements.js";
import { elements, unknownDim } from "../support/known.js";
import { given, ndZeros } from "../support/nd.js";
import { listOf } from "../support/window.js";

/** The smallest shape that a pool with these attributes makes `pooled` from. */
function unpooled(node: Node, pooled: Shape): Dim[] {
  const kernel = attribute(node, "kernel_shape", "ints") ?? [];
  if (kernel.length !== pooled.length - 2)
    throw mismatch(
      node,
      `kernel_shape [${kernel}] does not fit the input [${pooled}]. Give one length per axis after the channels.`,
    );
  const [strides, pads] = [listOf(node, "strides", kernel.length, 1), listOf(node, "pads", 2 * kernel.length, 0)];
  const along = (d: Dim, i: number) =>
    typeof d === "number"
      ? (d - 1) * strides[i] - pads[i] - pads[i + kernel.length] + kernel[i]
      : unknownDim(node, i + 2);
  return [...pooled.slice(0, 2), ...pooled.slice(2).map(along)];
}

export const MaxUnpool: OpDef = {
  type: "MaxUnpool",
  takes: ["T", "index", "vector"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const stated = elements(ctx, 2) ?? (ctx.inputs[2] ? shape.map((_, i) => unknownDim(ctx.node, i)) : undefined);
    return [{ dtype, shape: stated ?? unpooled(ctx.node, shape) }];
  },
  vjp: ({ b, node, grads: [dy] }) =>
    dy === undefined
      ? []
      : [
          b.op(
            "Gather",
            [b.op("Reshape", [dy, b.ints([-1])]), present(node.inputs[1], "the indices of MaxUnpool")],
            {},
            "grad",
          ),
        ],
  run: (inputs, { node }) => {
    const [x, indices] = [given(inputs, 0), given(inputs, 1)];
    const y = ndZeros(inputs[2] ? [...inputs[2].data] : (unpooled(node, x.dims) as number[]));
    const size = sizeOf(y.dims);
    x.data.forEach((value, i) => {
      y.data[wrapIndex(node, indices.data[i], size)] = value;
    });
    return [y];
  },
};
