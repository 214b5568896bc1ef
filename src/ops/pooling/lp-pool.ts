/** @file LpPool: the norm of order p of each window. The gradient of a window of zeros is 0. Spec: ONNX LpPool-18 (dilations and
 *  ceil_mode are new there). */
import type { Dim, Shape } from "../../core/shape.js";
import { sizeOf } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { given, ndMap, ndZeros } from "../support/nd.js";
import { innerSlope, orderOf, outerSlope } from "../support/power.js";
import { forEachTap, poolWindow, windowShape } from "../support/window.js";
import { spread } from "./average-pool.js";

const outputShape = (node: Node, x: Shape): Dim[] => [
  x[0],
  x[1],
  ...windowShape(node, poolWindow(node, x), x.slice(2)),
];

function pool(node: Node, x: NdArray): NdArray {
  const [y, p] = [ndZeros(outputShape(node, x.dims) as number[]), orderOf(node)];
  const [input, output] = [x.dims.slice(2), y.dims.slice(2)];
  const [inSize, outSize] = [sizeOf(input), sizeOf(output)];
  for (let plane = 0; plane < x.dims[0] * x.dims[1]; plane++)
    forEachTap(poolWindow(node, x.dims), input, output, (out, at) => {
      y.data[plane * outSize + out] += Math.abs(x.data[plane * inSize + at]) ** p;
    });
  return ndMap(y, (sum) => sum ** (1 / p));
}

export const LpPool: OpDef = {
  type: "LpPool",
  takes: ["F"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    orderOf(ctx.node);
    return [{ dtype, shape: outputShape(ctx.node, shape) }];
  },
  vjp: (ctx) => {
    const [dy, { b, node }] = [ctx.grads[0], ctx];
    if (dy === undefined) return [];
    const p = orderOf(node);
    const share = outerSlope(ctx, node.outputs[0], dy, p);
    const reached = spread(ctx, poolWindow(node, inputType(ctx, 0).shape), share);
    return [b.op("Mul", [reached, innerSlope(ctx, node.inputs[0], p)], {}, "grad")];
  },
  run: (inputs, { node }) => [pool(node, given(inputs, 0))],
};
