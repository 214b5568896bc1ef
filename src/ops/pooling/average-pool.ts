/** @file AveragePool: the mean of each window. Padding counts when count_include_pad says so; what ceil_mode adds behind the
 *  padding never does. Spec: ONNX AveragePool-19 (dilations and ceil_mode with count_include_pad are defined there). */

import type { DType } from "../../core/dtype.js";
import { type Dim, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { attribute, showNode, string } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { tooLarge, volume } from "../../graph/limits.js";
import { inputType, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { largeGradient } from "../support/correlation.js";
import { padZeros } from "../support/emit.js";
import { noGradient } from "../support/known.js";
import { given, ndZeros } from "../support/nd.js";
import { forEachTap, poolWindow, type Window, windowShape } from "../support/window.js";

const includesPad = (node: Node): boolean => attribute(node, "count_include_pad", "int") === 1;

/** Elements that window `o` counts along one axis: of its taps, base + t * dilation, those from `low` and below `high`. */
function countAlong(window: Window, i: number, length: number, o: number, includePad: boolean): number {
  const [before, after, dilation] = [window.before[i], window.after[i], window.dilations[i]];
  const [low, high] = includePad ? [-before, length + after] : [0, length];
  const base = o * window.strides[i] - before;
  const tapsBelow = (bound: number) => Math.min(window.kernel[i], Math.max(0, Math.ceil((bound - base) / dilation)));
  return tapsBelow(high) - tapsBelow(low);
}

/** Elements that each window counts, over the spatial axes. */
function counts(node: Node, window: Window, input: readonly number[], output: readonly number[]): Float64Array {
  const along = output.map((n, i) =>
    Array.from({ length: n }, (_, o) => countAlong(window, i, input[i], o, includesPad(node))),
  );
  const strides = stridesOf(output);
  return Float64Array.from({ length: sizeOf(output) }, (_, at) =>
    along.reduce((product, list, i) => product * list[Math.floor(at / strides[i]) % list.length], 1),
  );
}

function outputShape(node: Node, window: Window, x: Shape): Dim[] {
  return [x[0], x[1], ...windowShape(node, window, x.slice(2))];
}

function pool(node: Node, x: NdArray): NdArray {
  const window = poolWindow(node, x.dims);
  const y = ndZeros(outputShape(node, window, x.dims) as number[]);
  const [input, output] = [x.dims.slice(2), y.dims.slice(2)];
  const [inSize, outSize, count] = [sizeOf(input), sizeOf(output), counts(node, window, input, output)];
  for (let plane = 0; plane < x.dims[0] * x.dims[1]; plane++)
    forEachTap(window, input, output, (out, at) => {
      y.data[plane * outSize + out] += x.data[plane * inSize + at] / count[out];
    });
  return y;
}

/** Windows whose counts differ, at most: the gradient holds a number for each. */
const COUNTS_LIMIT = 2 ** 24;

/** 1 / count for each window: a scalar when all count the same, otherwise [1, 1, ...spatial].
 * @throws DynnError 'gradient/none' when it depends on an unknown image size, 'model/limit' */
function shares(ctx: VjpContext, window: Window, dtype: DType): Tensor {
  const [input, output] = [inputType(ctx, 0).shape.slice(2), (ctx.outputs[0]?.shape ?? []).slice(2)];
  const uniform = !window.ceil && (includesPad(ctx.node) || [...window.before, ...window.after].every((p) => p === 0));
  if (uniform) return fromNumbers(dtype, [], [1 / sizeOf(window.kernel)]);
  if (![...input, ...output].every((d) => typeof d === "number"))
    throw noGradient(
      ctx.node,
      "windows at the border count fewer elements and the image size is not known. Export the model with a fixed image size",
    );
  if (volume(output as number[]) > COUNTS_LIMIT)
    throw tooLarge(
      showNode(ctx.node),
      `its gradient needs counts of ${output.join(" x ")} windows`,
      String(COUNTS_LIMIT),
    );
  return fromNumbers(
    dtype,
    [1, 1, ...(output as number[])],
    counts(ctx.node, window, input as number[], output as number[]).map((n) => 1 / n),
  );
}

/** dx: each window's share of dy, spread over the window. Windows that tile the image take a nearest Resize. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { dtype, shape } = inputType(ctx, 0);
  const window = poolWindow(node, shape);
  const share = b.op("Mul", [dy, b.constant(shares(ctx, window, dtype))]);
  const tiles =
    window.kernel.every((k, i) => k === window.strides[i] && (window.dilations[i] === 1 || k === 1)) &&
    [...window.before, ...window.after].every((p) => p === 0);
  const rest = tiles ? restOf(ctx, window) : undefined;
  if (rest) return padZeros(b, upsample(ctx, share, window), [...shape.map(() => 0), 0, 0, ...rest]);
  return spread(ctx, window, share);
}

/** Elements behind the last of the tiles, where known. */
function restOf(ctx: VjpContext, window: Window): readonly number[] | undefined {
  const rest = inputType(ctx, 0)
    .shape.slice(2)
    .map((d, i) => {
      const outputs = ctx.outputs[0]?.shape[i + 2];
      return typeof d === "number" && typeof outputs === "number" ? d - outputs * window.kernel[i] : Number.NaN;
    });
  return rest.some(Number.isNaN) ? undefined : rest;
}

/** Nearest upsampling by the kernel. Opset 11 demands the (unused) region of interest. */
const upsample = ({ b }: VjpContext, x: ValueName, window: Window): ValueName =>
  b.op(
    "Resize",
    [
      x,
      b.constant(fromNumbers("float32", [0], [])),
      b.constant(fromNumbers("float32", [window.kernel.length + 2], [1, 1, ...window.kernel])),
    ],
    { mode: string("nearest"), nearest_mode: string("floor"), coordinate_transformation_mode: string("asymmetric") },
    "grad",
  );

/** Windows that overlap or leave gaps: the adjoint of a depthwise convolution with ones (the gradient of LpPool too). */
export function spread(ctx: VjpContext, window: Window, share: ValueName): ValueName {
  const { b, node } = ctx;
  const { dtype, shape } = inputType(ctx, 0);
  const channels = shape[1];
  if (typeof channels !== "number")
    throw noGradient(node, "the number of channels is not known. Export the model with a fixed one");
  const dims = [channels, 1, ...window.kernel];
  const ones = fromNumbers(dtype, dims, new Float64Array(sizeOf(dims)).fill(1));
  return largeGradient(
    {
      node,
      b,
      window,
      groups: channels,
      x: node.inputs[0],
      xShape: shape,
      yShape: ctx.outputs[0]?.shape ?? [],
    },
    share,
    { name: b.constant(ones, "ones"), shape: dims, value: ones },
  );
}

export const AveragePool: OpDef = {
  type: "AveragePool",
  takes: ["F"],
  infer: (ctx) => {
    const x = inputType(ctx, 0);
    return [{ dtype: x.dtype, shape: outputShape(ctx.node, poolWindow(ctx.node, x.shape), x.shape) }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => [pool(node, given(inputs, 0))],
};
