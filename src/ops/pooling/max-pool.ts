/** @file MaxPool: the largest element of each window, and on request its flat index in the whole tensor. Of equal elements the
 *  first in the window counts, as in PyTorch and ONNX Runtime. Spec: ONNX MaxPool-12. */
import { type Dim, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { maxGradient } from "../support/max-gradient.js";
import { given, ndZeros } from "../support/nd.js";
import { forEachTap, poolWindow, type Window, windowShape } from "../support/window.js";

const isColumnMajor = (node: Node): boolean => attribute(node, "storage_order", "int") === 1;

function outputShape(node: Node, window: Window, x: Shape): Dim[] {
  return [x[0], x[1], ...windowShape(node, window, x.slice(2))];
}

function pool(node: Node, x: NdArray): readonly NdArray[] {
  const window = poolWindow(node, x.dims);
  const [y, indices] = [
    ndZeros(outputShape(node, window, x.dims) as number[]),
    ndZeros(outputShape(node, window, x.dims) as number[]),
  ];
  y.data.fill(Number.NEGATIVE_INFINITY);
  indices.data.fill(-1);
  const [input, output] = [x.dims.slice(2), y.dims.slice(2)];
  const [inSize, outSize] = [sizeOf(input), sizeOf(output)];
  const number = isColumnMajor(node) ? columnMajor(input) : (at: number) => at;
  for (let plane = 0; plane < x.dims[0] * x.dims[1]; plane++)
    forEachTap(window, input, output, (out, at) => {
      const [to, value] = [plane * outSize + out, x.data[plane * inSize + at]];
      if (!(value > y.data[to]) && indices.data[to] !== -1) return;
      y.data[to] = value;
      indices.data[to] = plane * inSize + number(at);
    });
  return [y, indices];
}

/** A row-major position as a column-major one. */
function columnMajor(dims: readonly number[]): (at: number) => number {
  const strides = stridesOf(dims);
  const turned = stridesOf(dims.toReversed()).reverse();
  return (at) => dims.reduce((sum, d, axis) => sum + (Math.floor(at / strides[axis]) % d) * turned[axis], 0);
}

export const MaxPool: OpDef = {
  type: "MaxPool",
  limit: "before opset 16 windows that overlap more than 256-fold have no gradient",
  infer: (ctx) => {
    const x = inputType(ctx, 0);
    const shape = outputShape(ctx.node, poolWindow(ctx.node, x.shape), x.shape);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  vjp: (ctx) =>
    ctx.grads[0] === undefined ? [] : [maxGradient(ctx, poolWindow(ctx.node, inputType(ctx, 0).shape), ctx.grads[0])],
  run: (inputs, { node }) => pool(node, given(inputs, 0)),
};
