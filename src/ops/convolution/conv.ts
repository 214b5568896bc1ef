/** @file Conv: any stride, padding, dilation and groups, 1 to 3 spatial axes. Spec: ONNX Conv-11.
 */
import { type Dims, sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import type { Node, ValueType } from "../../graph/graph.js";
import { type ChannelAffine, inputType, mismatch, type NdArray, type OpDef } from "../../graph/op.js";
import { type Correlation, largeGradient } from "../support/correlation.js";
import { reduceSum } from "../support/emit.js";
import { checkGroups, checkRanks, groupsOf, kernelShape } from "../support/kernel.js";
import { kernelGradient } from "../support/kernel-gradient.js";
import { given, ndZeros } from "../support/nd.js";
import { checkVectors } from "../support/vectors.js";
import { forEachTap, type Window, windowOf, windowShape } from "../support/window.js";

function checkChannels(node: Node, x: ValueType, w: ValueType): void {
  checkRanks(node, x.shape, w.shape);
  checkGroups(node, w.shape);
  const [channels, perGroup, groups] = [x.shape[1], w.shape[1], groupsOf(node)];
  if (typeof channels !== "number" || typeof perGroup !== "number" || channels === perGroup * groups) return;
  throw mismatch(
    node,
    `X has ${channels} channels but W expects ${perGroup * groups} (X [${x.shape}], W [${w.shape}], group ${groups}). Give W ${channels / groups} input channels per group.`,
    { x: x.shape, w: w.shape, group: groups },
  );
}

const windowFor = (node: Node, x: ValueType, w: ValueType): Window =>
  windowOf(node, kernelShape(node, w.shape), x.shape.slice(2));

/** Each output channel: the sum over its group's input channels and the kernel's taps. */
function convolve(node: Node, x: NdArray, w: NdArray, bias: NdArray | undefined): NdArray {
  const window = windowOf(node, w.dims.slice(2), x.dims.slice(2));
  const spatial = windowShape(node, window, x.dims.slice(2)) as number[];
  const [batch, channels, outputs, perGroup] = [x.dims[0], x.dims[1], w.dims[0], w.dims[1]];
  const y = ndZeros([batch, outputs, ...spatial]);
  const [inSize, outSize, taps] = [sizeOf(x.dims.slice(2)), sizeOf(spatial), sizeOf(w.dims.slice(2))];
  const perOutputGroup = outputs / groupsOf(node);
  for (let plane = 0; plane < batch * outputs; plane++)
    y.data.fill(bias?.data[plane % outputs] ?? 0, plane * outSize, (plane + 1) * outSize);
  // The source of each tap is computed once for all images and channels.
  forEachTap(window, x.dims.slice(2), spatial, (out, at, tap) => {
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outputs; o++) {
        const from = (n * channels + Math.floor(o / perOutputGroup) * perGroup) * inSize + at;
        const weights = o * perGroup * taps + tap;
        let sum = 0;
        for (let c = 0; c < perGroup; c++) sum += x.data[from + c * inSize] * w.data[weights + c * taps];
        y.data[(n * outputs + o) * outSize + out] += sum;
      }
  });
  return y;
}

/** Weights and bias that include a later affine map per channel. */
function absorb(w: Tensor, bias: Tensor | undefined, { scale, shift }: ChannelAffine): readonly Tensor[] {
  const [outputs, each] = [w.dims[0], sizeOf(w.dims.slice(1))];
  const scaled = toNumbers(w).map((v, i) => v * scale[Math.floor(i / each)]);
  const old = bias ? toNumbers(bias) : new Float64Array(outputs);
  return [
    fromNumbers(w.dtype, w.dims, scaled),
    fromNumbers(
      w.dtype,
      [outputs],
      old.map((v, i) => v * scale[i] + shift[i]),
    ),
  ];
}

export const Conv: OpDef = {
  type: "Conv",
  takes: ["F"],
  infer: (ctx) => {
    const [x, w] = [inputType(ctx, 0), inputType(ctx, 1)];
    checkChannels(ctx.node, x, w);
    if (ctx.inputs[2]) checkVectors(ctx, [2], w.shape.slice(0, 1));
    return [
      {
        dtype: x.dtype,
        shape: [
          x.shape[0] ?? 1,
          w.shape[0] ?? 1,
          ...windowShape(ctx.node, windowFor(ctx.node, x, w), x.shape.slice(2)),
        ],
      },
    ];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const [x, w] = [inputType(ctx, 0), inputType(ctx, 1)];
    const correlation: Correlation = {
      node: ctx.node,
      b: ctx.b,
      window: windowFor(ctx.node, x, w),
      groups: groupsOf(ctx.node),
      x: ctx.node.inputs[0],
      xShape: x.shape,
      yShape: ctx.outputs[0]?.shape ?? [],
    };
    return [
      ctx.needs(0)
        ? largeGradient(correlation, dy, { name: ctx.node.inputs[1], shape: w.shape, value: ctx.constant(1) })
        : undefined,
      ctx.needs(1) ? kernelGradient(correlation, dy) : undefined,
      ctx.needs(2) ? reduceSum(ctx.b, dy, [0, ...x.shape.slice(2).map((_, i) => i + 2)], false) : undefined,
    ];
  },
  run: (inputs, { node }) => [convolve(node, given(inputs, 0), given(inputs, 1), inputs[2])],
  macs: ({ inputs, outputs }) => sizeOf(outputs[0]) * sizeOf((inputs[1] as Dims).slice(1)),
  absorbAffine: (ctx, affine) => {
    const [w, bias] = [ctx.constant(1), ctx.constant(2)];
    if (!w || (ctx.node.inputs[2] && !bias)) return undefined;
    return [undefined, ...absorb(w, bias, affine)];
  },
};
