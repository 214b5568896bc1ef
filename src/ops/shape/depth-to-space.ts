/** @file DepthToSpace: channels become blocks of pixels; order DCR (depth, column, row) or CRD. Spec: ONNX DepthToSpace-13. */
import type { Dim, Shape } from "../../core/shape.js";
import { attribute, int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../../graph/op.js";
import { blockOf, quotient, rearrange, timesBlock } from "../support/blocks.js";
import { noGradient } from "../support/known.js";
import { given } from "../support/nd.js";

function isColumnFirst(node: Node): boolean {
  const mode = attribute(node, "mode", "string") ?? "DCR";
  if (mode === "DCR" || mode === "CRD") return mode === "CRD";
  throw mismatch(node, `mode "${mode}" is unknown, expected DCR or CRD. Export the model again.`);
}

function outputShape(node: Node, shape: Shape): Dim[] {
  const block = blockOf(node, shape);
  return [shape[0], quotient(node, shape[1], block * block), timesBlock(shape[2], block), timesBlock(shape[3], block)];
}

/** dx: SpaceToDepth undoes DCR; for CRD its channels are put in order. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const shape = inputType(ctx, 0).shape;
  const [block, channels] = [blockOf(node, shape), shape[1]];
  const back = b.op("SpaceToDepth", [dy], { blocksize: int(block) }, "grad");
  if (!isColumnFirst(node)) return back;
  if (typeof channels !== "number")
    throw noGradient(node, "the number of channels is not known. Export the model with a fixed number");
  const [area, depth] = [block * block, channels / (block * block)];
  return b.op(
    "Gather",
    [back, b.ints(Array.from({ length: channels }, (_, i) => (i % area) * depth + Math.floor(i / area)))],
    { axis: int(1) },
    "grad",
  );
}

export const DepthToSpace: OpDef = {
  type: "DepthToSpace",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: outputShape(ctx.node, shape) }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const block = blockOf(node, x.dims);
    const [n, , h, w] = x.dims as [number, number, number, number];
    const dims = outputShape(node, x.dims) as number[];
    const depth = dims[1];
    if (isColumnFirst(node)) return [rearrange(x, [n, depth, block, block, h, w], [0, 1, 4, 2, 5, 3], dims)];
    return [rearrange(x, [n, block, block, depth, h, w], [0, 3, 4, 1, 5, 2], dims)];
  },
};
