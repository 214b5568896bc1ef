/** @file Sliding windows: strides, pads, dilations and output lengths of convolutions and pools.
 *  Spec: ONNX Conv-11, MaxPool-12, AveragePool-19 (auto_pad, ceil_mode). */
import type { Dim, Shape } from "../../core/shape.js";
import { attribute, showNode } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { tooLarge, volume } from "../../graph/limits.js";
import { mismatch } from "../../graph/op.js";

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros before and after, per spatial axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly ceil: boolean;
}

/** Length of a dilated kernel. */
export const extent = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

/** The window of a convolution or pool node over inputs of the given spatial shape.
 * @throws DynnError 'shape/mismatch' when attributes do not fit the rank */
export function windowOf(node: Node, kernel: readonly number[], spatial: Shape): Window {
  const rank = kernel.length;
  const strides = listOf(node, "strides", rank, 1);
  const dilations = listOf(node, "dilations", rank, 1);
  const auto = attribute(node, "auto_pad", "string") ?? "NOTSET";
  const base = { kernel, strides, dilations, ceil: attribute(node, "ceil_mode", "int") === 1 };
  if (auto === "NOTSET" || auto === "VALID") {
    const pads = auto === "VALID" ? new Array<number>(2 * rank).fill(0) : listOf(node, "pads", 2 * rank, 0);
    return { ...base, before: pads.slice(0, rank), after: pads.slice(rank) };
  }
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER")
    throw mismatch(
      node,
      `auto_pad "${auto}" is unknown, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER. Export the model again.`,
    );
  return { ...base, ...samePads(node, base, spatial, auto === "SAME_LOWER") };
}

/** A list attribute with one number per axis (two for pads).
 * @throws DynnError 'shape/mismatch' when its length or a number in it is wrong */
export function listOf(
  node: Node,
  name: string,
  length: number,
  fill: number,
  least = name === "pads" ? 0 : 1,
): readonly number[] {
  const list = attribute(node, name, "ints") ?? new Array<number>(length).fill(fill);
  if (list.length === length && list.every((v) => v >= least)) return list;
  throw mismatch(
    node,
    `attribute ${name} is [${list}], expected ${length} numbers of at least ${least}. Export the model again.`,
    { [name]: list },
  );
}

function samePads(
  node: Node,
  w: Pick<Window, "kernel" | "strides" | "dilations">,
  spatial: Shape,
  lower: boolean,
): Pick<Window, "before" | "after"> {
  const totals = w.kernel.map((k, i) => {
    const [length, stride, dilation] = [spatial[i], w.strides[i], w.dilations[i]];
    if (typeof length !== "number")
      throw mismatch(node, "auto_pad SAME needs known image sizes. Export the model with a fixed image size.");
    return Math.max(0, (Math.ceil(length / stride) - 1) * stride + extent(k, dilation) - length);
  });
  const small = totals.map((t) => Math.floor(t / 2));
  const large = totals.map((t) => Math.ceil(t / 2));
  return lower ? { before: large, after: small } : { before: small, after: large };
}

/** Output lengths of the window over a spatial shape. An unknown length gives a name made from it.
 * @throws DynnError 'shape/mismatch' when a window does not fit */
export function windowShape(node: Node, w: Window, spatial: Shape): Dim[] {
  return w.kernel.map((k, i) => {
    const [length, stride, dilation] = [spatial[i], w.strides[i], w.dilations[i]];
    const [before, after] = [w.before[i], w.after[i]];
    const size = extent(k, dilation);
    if (typeof length !== "number")
      return size === stride + before + after && stride === 1
        ? length
        : `win(${String(length).replaceAll("*", "·")};${size};${stride};${before + after};${w.ceil})`;
    const room = length + before + after - size;
    if (room < 0)
      throw mismatch(
        node,
        `a window of ${size} does not fit into ${length} elements with ${before + after} of padding. Use larger images.`,
        { length, window: size },
      );
    const steps = w.ceil ? Math.ceil(room / stride) : Math.floor(room / stride);
    // A last window that would start in the padding after the data is dropped, as in PyTorch and ONNX Runtime.
    return (w.ceil && steps * stride >= length + before ? steps - 1 : steps) + 1;
  });
}

/** Calls `visit(out, in, tap)` for every pair of an output position, an input position and the kernel tap that joins them
 *  (flat indices; taps that fall into the padding are left out), output by output, taps in order. */
export function forEachTap(
  w: Window,
  input: readonly number[],
  output: readonly number[],
  visit: (out: number, at: number, tap: number) => void,
): void {
  const rank = input.length;
  const outSize = output.reduce((a, b) => a * b, 1);
  const taps = w.kernel.reduce((a, b) => a * b, 1);
  for (let out = 0; out < outSize; out++)
    for (let tap = 0; tap < taps; tap++) {
      let [at, stride, o, t] = [0, 1, out, tap];
      for (let axis = rank - 1; axis >= 0 && at >= 0; axis--) {
        const [n, k, length] = [output[axis], w.kernel[axis], input[axis]];
        const position = (o % n) * w.strides[axis] - w.before[axis] + (t % k) * w.dilations[axis];
        at = position < 0 || position >= length ? -1 : at + position * stride;
        [stride, o, t] = [stride * length, Math.floor(o / n), Math.floor(t / k)];
      }
      if (at >= 0) visit(out, at, tap);
    }
}

/** Taps of a pool's window times its channels, at most: its gradient may need as many ones. */
const POOL_LIMIT = 2 ** 24;

/** The window of a pool node over x [n,c,...].
 * @throws DynnError 'shape/mismatch' when the node's kernel does not fit the rank, 'model/limit' */
export function poolWindow(node: Node, x: Shape): Window {
  const kernel = attribute(node, "kernel_shape", "ints") ?? [];
  if (x.length < 3 || kernel.length !== x.length - 2 || kernel.some((k) => k < 1))
    throw mismatch(
      node,
      `kernel_shape [${kernel}] does not fit the input [${x}]. Give one length of at least 1 per axis after the channels.`,
      { kernel, x },
    );
  const taps = volume(kernel) * (typeof x[1] === "number" ? x[1] : 1);
  if (taps > POOL_LIMIT)
    throw tooLarge(
      showNode(node),
      `a window of [${kernel}] over ${x[1]} channels has ${taps} taps`,
      String(POOL_LIMIT),
    );
  const window = windowOf(node, kernel, x.slice(2));
  const wide = [...window.before, ...window.after].some(
    (p, i) => p >= window.dilations[i % kernel.length] * kernel[i % kernel.length],
  );
  if (!wide) return window;
  throw mismatch(
    node,
    `pads [${window.before}] and [${window.after}] are no smaller than the window [${kernel}]. Use smaller pads.`,
    { kernel },
  );
}
