/** @file The gradient of x in y[o] = sum over taps t of x[o * stride + t * dilation - before] *
 *  w[t], per group of channels. Conv computes this correlation, and ConvTranspose is its
 *  adjoint. AveragePool is one with a kernel of ones. kernel-gradient.ts holds the gradient of
 *  w. */
import { isStatic, type Shape, sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { int, ints } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import type { VjpContext } from "../../graph/op.js";
import { padZeros, shapeOf, slice, transpose } from "./emit.js";
import { extent, type Window } from "./window.js";

/** The small side (y) and the large side (x) of a correlation. */
export interface Correlation {
  readonly node: Node;
  readonly b: VjpContext["b"];
  readonly window: Window;
  readonly groups: number;
  readonly x: ValueName;
  readonly xShape: Shape;
  readonly yShape: Shape;
}

/** The weights W [o, c/g, ...k] with which a Conv computes the transposed convolution: [c, o/g,
 * ...k], taps reversed. */
export function flipKernel(w: Tensor, groups: number): Tensor {
  const [outputs, perGroup] = [w.dims[0], w.dims[1]];
  const [taps, outPerGroup] = [sizeOf(w.dims.slice(2)), outputs / groups];
  const from = toNumbers(w);
  const data = new Float64Array(from.length);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < perGroup; c++) {
      const group = Math.floor(o / outPerGroup);
      const to = ((group * perGroup + c) * outPerGroup + (o % outPerGroup)) * taps;
      for (let t = 0; t < taps; t++) data[to + taps - 1 - t] = from[(o * perGroup + c) * taps + t];
    }
  return fromNumbers(w.dtype, [perGroup * groups, outPerGroup, ...w.dims.slice(2)], data);
}

/** {@link flipKernel} as nodes, for weights that are not constant. */
function emitFlipped({ b, groups }: Correlation, { name, shape }: Kernel): ValueName {
  const [outputs, perGroup, ...kernel] = shape as readonly number[];
  const axes = kernel.map((_, i) => i + 2).filter((axis) => shape[axis] !== 1);
  const all = (value: number): number[] => axes.map(() => value);
  const reversed =
    axes.length === 0 ? name : slice(b, name, { starts: all(-1), ends: all(-(2 ** 31)), axes, steps: all(-1) });
  const outPerGroup = outputs / groups;
  if (outPerGroup === 1 && perGroup === 1) return reversed;
  if (groups === 1) return transpose(b, reversed, [1, 0, ...kernel.map((_, i) => i + 2)]);
  const split = b.op("Reshape", [reversed, b.ints([groups, outPerGroup, perGroup, ...kernel])]);
  const swapped = transpose(b, split, [0, 2, 1, ...kernel.map((_, i) => i + 3)]);
  return b.op("Reshape", [swapped, b.ints([groups * perGroup, outPerGroup, ...kernel])]);
}

const taps = ({ window, groups }: Correlation) => ({
  group: int(groups),
  strides: ints(window.strides),
  dilations: ints(window.dilations),
  kernel_shape: ints(window.kernel),
});

/** The kernel W [o, c/g, ...k] of a correlation. */
export interface Kernel {
  readonly name: ValueName;
  readonly shape: Shape;
  /** The tensor of the kernel, when it is constant. */
  readonly value: Tensor | undefined;
}

/** The flipped kernel of a constant. Gradients of several losses share it. */
const flippedConstant = ({ b, groups }: Correlation, name: ValueName, value: Tensor): ValueName =>
  b.derived(`${name} flipped in ${groups}`, () => flipKernel(value, groups), `${name}_flipped`);

/** dX for dY. With stride 1, and at most as much padding as the kernel reaches, it is a Conv
 * with the flipped kernel and swapped channels. This is twice as fast in ONNX Runtime. Otherwise
 * it is a ConvTranspose. */
export function largeGradient(c: Correlation, dy: ValueName, w: Kernel): ValueName {
  const { window } = c;
  const reach = window.kernel.map((k, i) => extent(k, window.dilations[i]) - 1);
  const within = reach.every((r, i) => r >= window.before[i] && r >= window.after[i]);
  return isStatic(w.shape) && within && window.strides.every((s) => s === 1)
    ? byFlippedConv(c, dy, reach, w)
    : byConvTranspose(c, dy, w.name);
}

function byFlippedConv(c: Correlation, dy: ValueName, reach: readonly number[], w: Kernel): ValueName {
  const { b, window } = c;
  const pads = [...window.before, ...window.after].map((p, i) => reach[i % reach.length] - p);
  const kernel = w.value ? flippedConstant(c, w.name, w.value) : emitFlipped(c, w);
  return b.op("Conv", [dy, kernel], { ...taps(c), pads: ints(pads) }, "grad");
}

/** ConvTranspose covers (outputs - 1) * stride + kernel elements of the padded input. Elements
 * that no window reached are its output padding. With unknown sizes the largest possible number
 * of zeros is added, and the result is cut to the shape of X. */
function byConvTranspose(c: Correlation, dy: ValueName, w: ValueName): ValueName {
  const { b, window } = c;
  const tails = window.kernel.map((_, i) => tailOf(c, i));
  if (tails.every((t) => t !== undefined)) {
    const pads = ints([...window.before, ...tails.map((t) => Math.max(0, -t))]);
    return b.op(
      "ConvTranspose",
      [dy, w],
      { ...taps(c), pads, output_padding: ints(tails.map((t) => Math.max(0, t))) },
      "grad",
    );
  }
  const axes = window.kernel.map((_, i) => i + 2);
  const full = b.op("ConvTranspose", [dy, w], taps(c), "grad");
  const room = window.strides.map((s, i) => s - 1 + window.after[i]);
  const wide = padZeros(b, full, [0, 0, ...axes.map(() => 0), 0, 0, ...room]);
  const size = slice(b, shapeOf(b, c.x, c.xShape), { starts: [2], ends: [axes.length + 2], axes: [0] });
  return b.op("Slice", [wide, b.ints(window.before), b.op("Add", [size, b.ints(window.before)]), b.ints(axes)]);
}

/** Number of elements along spatial axis i after the last window. Negative when the last window
 * reaches beyond the end. */
export function tailOf({ window, xShape, yShape }: Correlation, i: number): number | undefined {
  const [length, outputs] = [xShape[i + 2], yShape[i + 2]];
  const [stride, size] = [window.strides[i], extent(window.kernel[i], window.dilations[i])];
  if (typeof length === "number" && typeof outputs === "number")
    return window.before[i] + length - (outputs - 1) * stride - size;
  return stride === 1 && !window.ceil ? -window.after[i] : undefined;
}
