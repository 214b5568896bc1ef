/** @file SpaceToDepth: blocks of pixels become channels. Its gradient is DepthToSpace. Spec: ONNX SpaceToDepth-13. */
import type { Dim, Shape } from "../../core/shape.js";
import { int } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { blockOf, quotient, rearrange, timesBlock } from "../support/blocks.js";
import { given } from "../support/nd.js";

function outputShape(node: Node, shape: Shape): Dim[] {
  const block = blockOf(node, shape);
  return [
    shape[0],
    timesBlock(shape[1], block * block),
    quotient(node, shape[2], block),
    quotient(node, shape[3], block),
  ];
}

export const SpaceToDepth: OpDef = {
  type: "SpaceToDepth",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: outputShape(ctx.node, shape) }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    const block = blockOf(ctx.node, inputType(ctx, 0).shape);
    return dy === undefined ? [] : [ctx.b.op("DepthToSpace", [dy], { blocksize: int(block) }, "grad")];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const block = blockOf(node, x.dims);
    const dims = outputShape(node, x.dims) as number[];
    const [n, c] = x.dims as [number, number];
    const [h, w] = [dims[2], dims[3]];
    return [rearrange(x, [n, c, h, block, w, block], [0, 3, 5, 1, 2, 4], dims)];
  },
};
