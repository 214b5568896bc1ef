/** @file Resize: nearest, linear or cubic, axis by axis. Each axis is a matrix of fixed weights; the gradient is its transpose.
 *  Antialiasing and tf_crop_and_resize are refused. Spec: ONNX Resize-19. */
import type { Dim, Shape } from "../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../core/tensor.js";
import { attribute } from "../graph/attributes.js";
import type { Node, ValueName } from "../graph/graph.js";
import { type InferContext, inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../graph/op.js";
import { adjointAlongAxis } from "./support/along-axis.js";
import { axesIn, elements, noGradient, unknownDim } from "./support/known.js";
import { aroundAxis, given, ndZeros } from "./support/nd.js";

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
  if (Object.hasOwn(table, stated)) return table[stated] as T;
  throw mismatch(
    node,
    `${name} "${stated}" is not supported, expected ${Object.keys(table).join(", ")}. Export the model with one of those.`,
  );
}

/** Taps [first index, weights] of one output element, before clamping to the input. */
type Taps = (node: Node, at: number) => { readonly first: number; readonly weights: readonly number[] };

const TAPS: Readonly<Record<string, Taps>> = {
  nearest: (node, at) => ({ first: choice(node, "nearest_mode", "round_prefer_floor", ROUND)(at), weights: [1] }),
  linear: (_, at) => ({ first: Math.floor(at), weights: [1 - (at - Math.floor(at)), at - Math.floor(at)] }),
  cubic: (node, at) => ({
    first: Math.floor(at) - 1,
    weights: cubic(at - Math.floor(at), attribute(node, "cubic_coeff_a", "float") ?? -0.75),
  }),
};

/** Keys 1981, equation 15, with parameter a. */
function cubic(t: number, a: number): readonly number[] {
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** The weights of one axis, transposed: [from, to]. */
function weightsAlong(node: Node, from: number, to: number, scale: number): Tensor {
  const position = choice(node, "coordinate_transformation_mode", "half_pixel", POSITION);
  const taps = choice(node, "mode", "nearest", TAPS);
  const exclude = attribute(node, "exclude_outside", "int") === 1;
  const data = new Float64Array(from * to);
  for (let i = 0; i < to; i++) {
    const { first, weights } = taps(node, position(i, scale, from, to));
    const inside = weights.map((w, k) => (exclude && (first + k < 0 || first + k >= from) ? 0 : w));
    const total = exclude ? inside.reduce((a, w) => a + w, 0) : 1;
    inside.forEach((w, k) => {
      (data[Math.max(0, Math.min(from - 1, first + k)) * to + i] as number) += w / total;
    });
  }
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
  if (attribute(node, "antialias", "int") === 1)
    throw mismatch(node, "antialias is not supported. Export the model without antialiasing.");
  const policy = attribute(node, "keep_aspect_ratio_policy", "string") ?? "stretch";
  if (policy !== "stretch")
    throw mismatch(
      node,
      `keep_aspect_ratio_policy "${policy}" is not supported, expected stretch. Export the model with fixed sizes.`,
    );
  const axes = axesIn(node, attribute(node, "axes", "ints") ?? shape.map((_, i) => i), shape.length);
  const given = sizes ?? (scales && Array.from(scales));
  if (given && given.length !== axes.length)
    throw mismatch(node, `${given.length} scales or sizes for ${axes.length} axes. Give one per axis.`);
  const of = <T>(list: ArrayLike<T> | undefined, i: number): T | undefined =>
    axes.includes(i) ? list?.[axes.indexOf(i)] : undefined;
  const out = shape.map((d, i) => (axes.includes(i) ? lengthOf(node, i, d, of(scales, i), of(sizes, i)) : d));
  return { shape: out, scales: shape.map((d, i) => of(scales, i) ?? (out[i] === d ? 1 : Number(out[i]) / Number(d))) };
}

function lengthOf(node: Node, axis: number, from: Dim, scale: number | undefined, size: Dim | undefined): Dim {
  if (size !== undefined) return size;
  if (scale === 1) return from;
  return scale === undefined || typeof from !== "number" ? unknownDim(node, axis) : Math.floor(from * scale);
}

/** What is known before running. Scales are floats: a constant, or nothing. An empty list stands for a left-out input. */
function knownResize(ctx: Pick<InferContext, "node" | "inputs" | "constant">): Resized {
  const scales = ctx.constant(2);
  const used = scales && scales.data.length > 0 ? toNumbers(scales) : undefined;
  return resized(ctx.node, inputType(ctx, 0).shape, used, ctx.inputs[3] && elements(ctx, 3));
}

function applyAlong(x: NdArray, axis: number, weights: Tensor): NdArray {
  const [from, to] = weights.dims as [number, number];
  const { outer, inner } = aroundAxis(x.dims, axis);
  const y = ndZeros(x.dims.map((d, i) => (i === axis ? to : d)));
  for (let o = 0; o < outer; o++)
    for (let k = 0; k < from; k++)
      for (let i = 0; i < to; i++) {
        const weight = weights.data[k * to + i] as number;
        if (weight !== 0)
          for (let j = 0; j < inner; j++)
            (y.data[(o * to + i) * inner + j] as number) += weight * (x.data[(o * from + k) * inner + j] as number);
      }
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
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: knownResize(ctx).shape }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const scales = inputs[2] && inputs[2].data.length > 0 ? inputs[2].data : undefined;
    const out = resized(node, x.dims, scales, inputs[3] && [...inputs[3].data]);
    return [
      x.dims.reduce(
        (y, from, axis) =>
          out.scales[axis] === 1
            ? y
            : applyAlong(y, axis, weightsAlong(node, from, out.shape[axis] as number, out.scales[axis] as number)),
        x,
      ),
    ];
  },
};
