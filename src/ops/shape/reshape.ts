/** @file Reshape: the same elements under other dimensions. 0 copies a length (unless allowzero), -1 takes the rest.
 *  Spec: ONNX Reshape-14. */
import { type Dim, divideDims, isStatic, multiplyDims, type Shape, showShape, sizeOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { reshapeTo } from "../support/emit.js";
import { elements, unknown, unknownDim } from "../support/known.js";
import { given } from "../support/nd.js";

/** The dimensions that `wanted` gives a tensor of shape `x`. */
function reshaped(node: Node, x: Shape, wanted: Shape): Dim[] {
  const keepZeros = attribute(node, "allowzero", "int") === 1;
  const copied = wanted.map((d, i) => (d === 0 && !keepZeros ? (x[i] ?? misfit(node, x, wanted)) : d));
  const free = copied.indexOf(-1);
  if (free >= 0) copied[free] = restOf(node, x, copied, free);
  if (copied.some((d) => typeof d === "number" && d < 0)) misfit(node, x, wanted);
  if (isStatic(x) && isStatic(copied) && sizeOf(x) !== sizeOf(copied)) misfit(node, x, wanted);
  return copied;
}

/** The length that -1 stands for. */
function restOf(node: Node, x: Shape, copied: Shape, free: number): Dim {
  const rest = copied.filter((_, i) => i !== free);
  const found = divideDims(multiplyDims(x), multiplyDims(rest));
  if (found === undefined && isStatic(x) && isStatic(rest)) misfit(node, x, copied);
  return found ?? unknownDim(node, free);
}

function misfit(node: Node, x: Shape, wanted: Shape): never {
  throw mismatch(
    node,
    `shape ${showShape(x)} cannot become ${showShape(wanted)}. Make the products of the lengths equal.`,
    { x, wanted },
  );
}

export const Reshape: OpDef = {
  type: "Reshape",
  takes: ["T", "vector"],
  infer: (ctx) => {
    const x = inputType(ctx, 0);
    const rank = inputType(ctx, 1).shape[0];
    const wanted = elements(ctx, 1);
    if (wanted) return [{ dtype: x.dtype, shape: reshaped(ctx.node, x.shape, wanted) }];
    if (typeof rank !== "number" || rank > 64) throw unknown(ctx.node, "the rank of the result is not known");
    return [{ dtype: x.dtype, shape: Array.from({ length: rank }, (_, i) => unknownDim(ctx.node, i)) }];
  },
  vjp: ({ b, node, inputs, grads: [dy] }) => {
    const [x, shape] = [node.inputs[0], inputs[0]?.shape];
    return dy === undefined || !shape || !x ? [] : [reshapeTo(b, dy, shape, x)];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    return [{ dims: reshaped(node, x.dims, [...given(inputs, 1).data]) as number[], data: x.data }];
  },
  propagate: (ctx, output) => (isStatic(output.shape) ? ctx.inputs[0]?.value : undefined),
};
