/** @file Resize: nearest, linear or cubic, axis by axis. Each axis is a matrix of fixed weights; the gradient is its transpose.
 *  tf_crop_and_resize is refused. Spec: ONNX Resize-19. */
import { type Dim, isStatic, type Shape } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { type InferContext, inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { adjointAlongAxis, checkMatrix } from "../support/along-axis.js";
import { axesIn, elements, noGradient, unknownDim } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

/** Position in the input of output element `i`; `scale` is output / input. */
const POSITION: Readonly<Record<string, (i: number, scale: number, from: number, to: number) => number>> = {
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: (i, scale, from, to) => from / 2 - (to / (scale * from)) * (from / 2) + (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, scale, _, to) => (to > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, _, from, to) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0),
  asymmetric: (i, scale) => i / scale,
};

const ROUND: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

function choice<T>(node: Node, name: string, fallback: string, table: Readonly<Record<string, T>>): T {
  const stated = attribute(node, name, "string") ?? fallback;
  if (Object.hasOwn(table, stated)) return table[stated];
  throw mismatch(
    node,
    `${name} "${stated}" is not supported, expected ${Object.keys(table).join(", ")}. Export the model with one of those.`,
  );
}

/** Taps of one output element, before clamping to the input. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** A weight for each distance up to `reach` input elements. */
interface Filter {
  readonly reach: number;
  readonly weight: (distance: number, node: Node) => number;
}

const FILTERS: Readonly<Record<string, Filter | undefined>> = {
  nearest: undefined,
  linear: { reach: 1, weight: (distance) => Math.max(0, 1 - distance) },
  cubic: { reach: 2, weight: (distance, node) => cubic(distance, attribute(node, "cubic_coeff_a", "float") ?? -0.75) },
};

/** Keys 1981, equation 15, with parameter a. */
function cubic(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** What lies around a position. Antialiasing stretches the filter over as many elements as become one; its weights are then
 *  brought back to a sum of 1. */
function tapsAt(node: Node, at: number, scale: number): Taps {
  const filter = choice(node, "mode", "nearest", FILTERS);
  if (!filter) return { first: choice(node, "nearest_mode", "round_prefer_floor", ROUND)(at), weights: [1] };
  const stretch = attribute(node, "antialias", "int") === 1 ? Math.min(1, scale) : 1;
  const start = Math.floor(-filter.reach / stretch) + 1;
  const [first, rest] = [Math.floor(at) + start, at - Math.floor(at)];
  const weights = Array.from({ length: 2 - 2 * start }, (_, k) =>
    filter.weight(Math.abs(start + k - rest) * stretch, node),
  );
  const sum = weights.reduce((a, w) => a + w, 0);
  return { first, weights: stretch === 1 ? weights : weights.map((w) => w / sum) };
}

/** What each output element of one axis is made of: indices into the input, clamped to it, and their weights. */
function tapsAlong(
  node: Node,
  from: number,
  to: number,
  scale: number,
): (i: number) => readonly (readonly [number, number])[] {
  const position = choice(node, "coordinate_transformation_mode", "half_pixel", POSITION);
  const exclude = attribute(node, "exclude_outside", "int") === 1;
  return (i) => {
    const { first, weights } = tapsAt(node, position(i, scale, from, to), scale);
    const inside = weights.map((w, k) => (exclude && (first + k < 0 || first + k >= from) ? 0 : w));
    const total = exclude ? inside.reduce((a, w) => a + w, 0) : 1;
    return inside.map((w, k) => [Math.max(0, Math.min(from - 1, first + k)), w / total] as const);
  };
}

/** The weights of one axis, transposed: [from, to]. */
function weightsAlong(node: Node, from: number, to: number, scale: number): Tensor {
  checkMatrix(node, from, to);
  const taps = tapsAlong(node, from, to, scale);
  const data = new Float64Array(from * to);
  for (let i = 0; i < to; i++) for (const [k, w] of taps(i)) data[k * to + i] += w;
  return fromNumbers("float64", [from, to], data);
}

interface Resized {
  readonly shape: readonly Dim[];
  /** output / input as the transformation uses it. */
  readonly scales: readonly number[];
}

/** The output's shape from scales or sizes, which may name some axes only. */
function resized(
  node: Node,
  shape: Shape,
  scales: ArrayLike<number> | undefined,
  sizes: readonly Dim[] | undefined,
): Resized {
  const axes = axesIn(node, attribute(node, "axes", "ints") ?? shape.map((_, i) => i), shape.length);
  const given = sizes ?? (scales && Array.from(scales));
  if (given && given.length !== axes.length)
    throw mismatch(node, `${given.length} scales or sizes for ${axes.length} axes. Give one per axis.`);
  const lengths = axes.map((axis) => shape[axis]);
  const wanted: Wanted = sizes ? keptRatio(node, lengths, sizes) : { sizes, scales };
  const of = <T>(list: ArrayLike<T> | undefined, i: number): T | undefined =>
    axes.includes(i) ? list?.[axes.indexOf(i)] : undefined;
  const lengthAt = (d: Dim, i: number) => lengthOf(node, i, d, of(wanted.scales, i), of(wanted.sizes, i));
  const out = shape.map((d, i) => (axes.includes(i) ? lengthAt(d, i) : d));
  const scaleAt = (d: Dim, i: number) => of(wanted.scales, i) ?? (out[i] === d ? 1 : Number(out[i]) / Number(d));
  return { shape: out, scales: shape.map(scaleAt) };
}

/** How the aspect ratio limits one scale for all axes; undefined: it does not. */
const POLICY: Readonly<Record<string, ((...scales: readonly number[]) => number) | undefined>> = {
  stretch: undefined,
  not_larger: Math.min,
  not_smaller: Math.max,
};

interface Wanted {
  readonly sizes: Shape | undefined;
  readonly scales?: ArrayLike<number> | undefined;
}

/** Sizes after keep_aspect_ratio_policy, with the one scale that they were rounded from. */
function keptRatio(node: Node, from: Shape, sizes: Shape): Wanted {
  const limit = choice(node, "keep_aspect_ratio_policy", "stretch", POLICY);
  if (!limit) return { sizes };
  if (!isStatic(from) || !isStatic(sizes))
    throw mismatch(node, "keep_aspect_ratio_policy needs known lengths. Export the model with a fixed image size.");
  const scale = limit(...sizes.map((size, i) => size / from[i]));
  return { sizes: from.map((length) => Math.floor(scale * length + 0.5)), scales: from.map(() => scale) };
}

function lengthOf(node: Node, axis: number, from: Dim, scale: number | undefined, size: Dim | undefined): Dim {
  if (size !== undefined) return size;
  if (scale === 1) return from;
  return scale === undefined || typeof from !== "number" ? unknownDim(node, axis) : Math.floor(from * scale);
}

/** What is known before running. Scales are floats: a constant, or nothing. An empty list stands for a left-out input. */
function knownResize(ctx: Pick<InferContext, "node" | "inputs" | "constant">): Resized {
  const scales = ctx.constant(2);
  const { shape } = inputType(ctx, 0);
  if (scales && scales.data.length > shape.length)
    throw mismatch(ctx.node, `${scales.data.length} scales for ${shape.length} axes. Give one per axis.`);
  const used = scales && scales.data.length > 0 ? toNumbers(scales) : undefined;
  return resized(ctx.node, shape, used, ctx.inputs[3] && elements(ctx, 3));
}

function applyAlong(node: Node, x: NdArray, axis: number, to: number, scale: number): NdArray {
  const { outer, length: from, inner } = aroundAxis(x.dims, axis);
  const taps = tapsAlong(node, from, to, scale);
  const y = ndZeros(x.dims.map((d, i) => (i === axis ? to : d)));
  for (let i = 0; i < to; i++)
    for (const [k, weight] of taps(i))
      for (let o = 0; o < outer; o++)
        for (let j = 0; j < inner; j++) y.data[(o * to + i) * inner + j] += weight * x.data[(o * from + k) * inner + j];
  return y;
}

function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const shape = inputType(ctx, 0).shape;
  const { shape: out, scales } = knownResize(ctx);
  return shape.reduce<ValueName>((grad, from, axis) => {
    const to = out[axis];
    if (scales[axis] === 1) return grad;
    if (typeof from !== "number" || typeof to !== "number")
      throw noGradient(ctx.node, `the length of axis ${axis} is not known. Export the model with a fixed image size`);
    const reached = [...shape.slice(0, axis + 1), ...out.slice(axis + 1)];
    return adjointAlongAxis(ctx, grad, reached, axis, weightsAlong(ctx.node, from, to, scales[axis]));
  }, dy);
}

export const Resize: OpDef = {
  type: "Resize",
  takes: ["T", "float", "any", "index"],
  limit: "tf_crop_and_resize is refused; the gradient needs known lengths",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: knownResize(ctx).shape }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const scales = inputs[2] && inputs[2].data.length > 0 ? inputs[2].data : undefined;
    const out = resized(node, x.dims, scales, inputs[3] && [...inputs[3].data]);
    return [
      x.dims.reduce(
        (y, _, axis) =>
          out.scales[axis] === 1 ? y : applyAlong(node, y, axis, out.shape[axis] as number, out.scales[axis]),
        x,
      ),
    ];
  },
};
