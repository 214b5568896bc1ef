/** @file The gradient of w in a correlation (see correlation.ts). For every tap it is the sum over
 *  batch and outputs of dY times the element of X that the tap read.
 *  - With known sizes and one group: a Conv of X and dY with batch and channels swapped. A runtime
 *    that has a blocked layout computes it in the memory of X and dY
 *    (runtime/blocked/kernel-gradient.ts). Elsewhere runtime/kernel-gradients.ts replaces it by
 *    matrix products (kernel-products.ts), which plain kernels compute faster.
 *  - A depthwise convolution: dY is the kernel of a depthwise convolution of X, sample by sample.
 *  - Groups, dilations and an unknown batch: matrix products.
 *  - Other shapes: the Conv of swapped tensors, cut to size. */
import { isStatic } from "../../core/shape.js";
import { int, ints } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { type Correlation, tailOf } from "./correlation.js";
import { padZeros, reduceSum, slice, transpose } from "./emit.js";
import { byProducts, sizesOf } from "./kernel-products.js";
import { noGradient } from "./known.js";

/** dW [o, c/g, ...kernel] for dY. */
export function kernelGradient(c: Correlation, dy: ValueName): ValueName {
  const { window, xShape, yShape, groups } = c;
  const images = window.kernel.length === 2 && isStatic(xShape.slice(1)) && isStatic(yShape.slice(1));
  if (!images) return bySwappedConv(c, dy);
  const batch = xShape[0];
  if (isDepthwise(c) && typeof batch === "number") return byDepthwiseConv(c, dy, batch);
  const isPlain = groups === 1 && window.dilations.every((d) => d === 1);
  return isPlain && typeof batch === "number" ? bySwappedConv(fitted(c), dy) : byProducts(c, dy);
}

/** The same correlation of an X without the pixels after the last window, so that the Conv of
 * swapped tensors does not give taps to cut. A window of one pixel reads every stride-th pixel, and
 * X then has only those. */
function fitted(c: Correlation): Correlation {
  const { window, xShape } = c;
  const point = window.kernel.every((k) => k === 1) && [...window.before, ...window.after].every((p) => p === 0);
  if (point && window.strides.some((s) => s > 1)) return everyStride(c);
  const behind = [0, 1].map((i) => Math.max(0, tailOf(c, i) as number));
  const x = padZeros(c.b, c.x, [0, 0, 0, 0, 0, 0, ...behind.map((pixels) => -pixels)]);
  const size = xShape.slice(2).map((d, i) => (d as number) - behind[i]);
  return { ...c, x, xShape: [...xShape.slice(0, 2), ...size] };
}

function everyStride(c: Correlation): Correlation {
  const { window, xShape, yShape } = c;
  const ends = window.strides.map((s, i) => ((yShape[i + 2] as number) - 1) * s + 1);
  const x = slice(c.b, c.x, { starts: [0, 0], ends, axes: [2, 3], steps: window.strides });
  return { ...c, x, xShape: [...xShape.slice(0, 2), ...yShape.slice(2)], window: { ...window, strides: [1, 1] } };
}

/** The zeros after X that make the last window fit, as far as sizes are known. `exact` says whether
 * the Conv then has exactly one output per tap. */
function ends(c: Correlation): { readonly after: readonly number[]; readonly exact: boolean } {
  const { window, xShape, yShape } = c;
  if (!isStatic(xShape.slice(2)) || !isStatic(yShape.slice(2))) return { after: window.after, exact: false };
  const tails = window.kernel.map((_, i) => tailOf(c, i) as number);
  const after = tails.map((tail) => Math.max(0, -tail));
  return { after, exact: tails.every((tail, i) => tail + after[i] < window.dilations[i]) };
}

const isDepthwise = ({ groups, xShape, yShape }: Correlation): boolean =>
  groups > 1 && xShape[1] === groups && yShape[1] === groups;

/** A depthwise convolution of one image that holds every sample's channels, with dY as the kernels.
 */
function byDepthwiseConv(c: Correlation, dy: ValueName, batch: number): ValueName {
  const { b, window, groups } = c;
  const { x, y } = sizesOf(c);
  const planes = batch * groups;
  const images = b.op("Reshape", [c.x, b.ints([1, planes, x[1], x[2]])]);
  const kernels = b.op("Reshape", [dy, b.ints([planes, 1, y[1], y[2]])]);
  const { after, exact } = ends(c);
  const attributes = {
    group: int(planes),
    kernel_shape: ints([y[1], y[2]]),
    pads: ints([...window.before, ...after]),
    strides: ints(window.dilations),
    dilations: ints(window.strides),
  };
  const taps = b.op("Conv", [images, kernels], attributes, "grad");
  const cut = exact ? taps : slice(b, taps, { starts: [0, 0], ends: window.kernel, axes: [2, 3] });
  const size = window.kernel.reduce((product, k) => product * k, 1);
  const summed = reduceSum(b, b.op("Reshape", [cut, b.ints([batch, groups, size])]), [0], false);
  return b.op("Reshape", [summed, b.ints([groups, 1, ...window.kernel])]);
}

/** X and dY with batch and channels swapped, convolved with strides and dilations exchanged. The
 * batch is summed over as channels are. The channels of a group become neighbouring groups of the
 * batch. */
function bySwappedConv(c: Correlation, dy: ValueName): ValueName {
  const { b, window } = c;
  const spatial = window.kernel.map((_, i) => i + 2);
  const swapped = c.groups === 1 ? transpose(b, c.x, [1, 0, ...spatial]) : groupedInput(c, spatial);
  const kernel = transpose(b, dy, [1, 0, ...spatial]);
  const { after, exact } = ends(c);
  const attributes = {
    group: int(c.groups),
    pads: ints([...window.before, ...after]),
    strides: ints(window.dilations),
    dilations: ints(window.strides),
  };
  const raw = b.op("Conv", [swapped, kernel], attributes, "grad");
  const cut = exact ? raw : slice(b, raw, { starts: spatial.map(() => 0), ends: window.kernel, axes: spatial });
  return transpose(b, cut, [1, 0, ...spatial]);
}

/** X [n, g*c, ...] as [c, g*n, ...]. */
function groupedInput({ b, node, x, xShape, groups }: Correlation, spatial: readonly number[]): ValueName {
  const sizes = xShape.slice(2);
  const perGroup = (xShape[1] as number) / groups;
  if (!isStatic(sizes))
    throw noGradient(
      node,
      "the weights of a grouped convolution need known image sizes. Export the model with a fixed image size",
    );
  const split = b.op("Reshape", [x, b.ints([-1, groups, perGroup, ...sizes])]);
  const turned = transpose(b, split, [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  return b.op("Reshape", [turned, b.ints([perGroup, -1, ...sizes])]);
}
