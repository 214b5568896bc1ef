/** @file ConvTranspose, the adjoint of Conv: the kernel spreads each input element over the output.
 *  In this file, the window is the one of the adjoint Conv: it slides over the output. Spec: ONNX
 *  ConvTranspose-11. */
import { type Dim, type Dims, type Shape, sizeOf } from "../../core/shape.js";
import { attribute, int, ints } from "../../graph/attributes.js";
import type { Node, ValueName, ValueType } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import type { Correlation } from "../support/correlation.js";
import { reduceSum, slice } from "../support/emit.js";
import { checkGroups, checkRanks, groupsOf, kernelShape } from "../support/kernel.js";
import { kernelGradient } from "../support/kernel-gradient.js";
import { unknownDim } from "../support/known.js";
import { given, ndZeros } from "../support/nd.js";
import { checkVectors } from "../support/vectors.js";
import { extent, forEachTap, listOf, type Window } from "../support/window.js";

interface Placement {
  readonly window: Window;
  /** Output lengths. */
  readonly spatial: readonly Dim[];
}

/** Pads and output lengths. A stated output (output_shape or auto_pad SAME) determines the pads;
 * otherwise the pads determine the output. */
function placement(node: Node, kernel: readonly number[], input: Shape): Placement {
  const rank = kernel.length;
  const [strides, dilations, extra] = [
    listOf(node, "strides", rank, 1),
    listOf(node, "dilations", rank, 1),
    listOf(node, "output_padding", rank, 0, 0),
  ];
  const auto = attribute(node, "auto_pad", "string") ?? "NOTSET";
  const stated =
    attribute(node, "output_shape", "ints")?.slice(-rank) ??
    (auto.startsWith("SAME") ? input.map((d, i) => (typeof d === "number" ? d * strides[i] : d)) : undefined);
  const base = { kernel, strides, dilations, ceil: false };
  const natural = input.map((d, i) =>
    typeof d === "number" ? (d - 1) * strides[i] + extra[i] + extent(kernel[i], dilations[i]) : undefined,
  );
  if (!stated) {
    const pads = auto === "VALID" ? new Array<number>(2 * rank).fill(0) : listOf(node, "pads", 2 * rank, 0, 0);
    const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
    return {
      window: { ...base, before, after },
      spatial: natural.map((d, i) => lengthOf(node, input, d, before[i] + after[i], i)),
    };
  }
  const totals = natural.map((d, i) =>
    padOf(node, d, stated[i], extent(kernel[i], dilations[i]) - strides[i] + extra[i]),
  );
  const [small, large] = [totals.map((t) => Math.floor(t / 2)), totals.map((t) => Math.ceil(t / 2))];
  const [before, after] = auto === "SAME_UPPER" ? [small, large] : [large, small];
  return { window: { ...base, before, after }, spatial: stated };
}

function lengthOf(node: Node, input: Shape, natural: number | undefined, pads: number, i: number): Dim {
  if (natural === undefined) return unknownDim(node, i + 2);
  if (natural - pads > 0) return natural - pads;
  throw mismatch(node, `pads of ${pads} remove all of the ${natural} elements (input [${input}]). Use larger images.`);
}

/** Total padding that gives the stated length. `same` is the padding for auto_pad with an unknown
 * length. */
function padOf(node: Node, natural: number | undefined, stated: Dim | undefined, same: number): number {
  if (natural !== undefined && typeof stated === "number") return Math.max(0, natural - stated);
  if (typeof stated === "string") return Math.max(0, same);
  throw mismatch(node, "output_shape needs known image sizes. Export the model with a fixed image size.");
}

function checkChannels(node: Node, x: ValueType, w: ValueType): void {
  checkRanks(node, x.shape, w.shape);
  checkGroups(node, w.shape);
  const [channels, expected] = [x.shape[1], w.shape[0]];
  if (typeof channels !== "number" || typeof expected !== "number" || channels === expected) return;
  throw mismatch(
    node,
    `X has ${channels} channels but W expects ${expected} (X [${x.shape}], W [${w.shape}]). Give W one kernel per input channel.`,
    { x: x.shape, w: w.shape },
  );
}

function placementFor(node: Node, x: Shape, w: Shape): Placement {
  return placement(node, kernelShape(node, w), x.slice(2));
}

/** Every tap of the adjoint convolution, from its output (X) to its input (Y). */
function spread(node: Node, x: NdArray, w: NdArray, bias: NdArray | undefined): NdArray {
  const { window, spatial } = placementFor(node, x.dims, w.dims);
  const [batch, channels, perGroup, groups] = [x.dims[0], x.dims[1], w.dims[1], groupsOf(node)];
  const y = ndZeros([batch, perGroup * groups, ...(spatial as number[])]);
  const [inSize, outSize, taps] = [sizeOf(x.dims.slice(2)), sizeOf(y.dims.slice(2)), sizeOf(w.dims.slice(2))];
  if (bias)
    for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[Math.floor(i / outSize) % (perGroup * groups)];
  // The target of each tap is computed once for all images and channels.
  forEachTap(window, y.dims.slice(2), x.dims.slice(2), (at, place, tap) => {
    for (let n = 0; n < batch; n++)
      for (let c = 0; c < channels; c++) {
        const value = x.data[(n * channels + c) * inSize + at];
        const first = n * perGroup * groups + Math.floor(c / (channels / groups)) * perGroup;
        for (let o = 0; o < perGroup; o++)
          y.data[(first + o) * outSize + place] += value * w.data[(c * perGroup + o) * taps + tap];
      }
  });
  return y;
}

/** dX is the adjoint convolution applied to dY. Output padding may make room for more windows,
 * which are cut off. */
function inputGradient(ctx: VjpContext, { window, spatial }: Placement, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const attributes = {
    group: int(groupsOf(node)),
    pads: ints([...window.before, ...window.after]),
    strides: ints(window.strides),
    dilations: ints(window.dilations),
    kernel_shape: ints(window.kernel),
  };
  const full = b.op("Conv", [dy, node.inputs[1]], attributes, "grad");
  const input = inputType(ctx, 0).shape.slice(2);
  const extra = listOf(node, "output_padding", window.kernel.length, 0, 0);
  const exact = spatial.every((d, i) => {
    const [length, stride] = [input[i], window.strides[i]];
    if (typeof d !== "number" || typeof length !== "number") return extra[i] < stride;
    const room = d + window.before[i] + window.after[i] - extent(window.kernel[i], window.dilations[i]);
    return Math.floor(room / stride) + 1 === length;
  });
  return exact
    ? full
    : slice(b, full, { starts: input.map(() => 0), ends: input as number[], axes: input.map((_, i) => i + 2) });
}

export const ConvTranspose: OpDef = {
  type: "ConvTranspose",
  takes: ["F"],
  infer: (ctx) => {
    const [x, w] = [inputType(ctx, 0), inputType(ctx, 1)];
    checkChannels(ctx.node, x, w);
    const channels = typeof w.shape[1] === "number" ? w.shape[1] * groupsOf(ctx.node) : unknownDim(ctx.node, 1);
    if (ctx.inputs[2]) checkVectors(ctx, [2], [channels]);
    return [{ dtype: x.dtype, shape: [x.shape[0], channels, ...placementFor(ctx.node, x.shape, w.shape).spatial] }];
  },
  vjp: (ctx) => {
    const { b, node } = ctx;
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const x = inputType(ctx, 0);
    const placed = placementFor(node, x.shape, inputType(ctx, 1).shape);
    const correlation: Correlation = {
      node,
      b,
      window: placed.window,
      groups: groupsOf(node),
      x: dy,
      xShape: ctx.outputs[0]?.shape ?? [],
      yShape: x.shape,
    };
    return [
      ctx.needs(0) ? inputGradient(ctx, placed, dy) : undefined,
      ctx.needs(1) ? kernelGradient(correlation, node.inputs[0]) : undefined,
      ctx.needs(2) ? reduceSum(b, dy, [0, ...x.shape.slice(2).map((_, i) => i + 2)], false) : undefined,
    ];
  },
  run: (inputs, { node }) => [spread(node, given(inputs, 0), given(inputs, 1), inputs[2])],
  macs: ({ inputs }) => sizeOf(inputs[0] as Dims) * sizeOf((inputs[1] as Dims).slice(1)),
};
