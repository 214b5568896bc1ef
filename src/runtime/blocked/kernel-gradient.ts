/** @file Computes the gradient of a convolution's weights as one blocked convolution, in the memory
 *  of X and dY.
 *  For few input channels per group, ONNX Runtime takes plain images and a kernel [o / block, i, h,
 *  w, block]. dY in blocks is such a kernel, with samples as input channels.
 *  X in blocks is a plain image of each sample, whose columns are (column, channel of a block).
 *  With a dilation of a block along these columns, neighbouring outputs are the channels of a
 *  block.
 *  The outputs are the taps of all channels (decision 13). */
import { fromNumbers } from "../../core/tensor.js";
import { int, ints } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { type KernelGradient, kernelGradientAt } from "../kernel-gradients.js";
import type { Layout } from "./layout.js";
import { blocksToPlain, reduceOver, reshaped, turned } from "./reorder.js";
import type { Rule } from "./rule.js";

/** The least number of pixels of dY times samples of a group for which this is faster than matrix
 * products: for one tap, and for more. With fewer, writing the taps of a group takes longer than
 * computing them. */
const ENOUGH = { point: 512, window: 64 };

/** The most numbers in the taps of all groups of samples before they are summed: 256 MB. */
const MOST_TAPS = 2 ** 26;

/** Whether this form can compute a gradient and is the fastest. X must have less than a block of
 * channels or whole blocks. The same holds for the batch, because ONNX Runtime counts samples as
 * channels here. */
export function isWide(g: KernelGradient, block: number): boolean {
  const fits = (count: number): boolean => count < block || count % block === 0;
  const [taps, each] = [g.kernel[0] * g.kernel[1], together(g, block)];
  const enough = each * g.windows[0] * g.windows[1] >= (taps === 1 ? ENOUGH.point : ENOUGH.window);
  const room = (g.batch / each) * taps * g.channels * g.outputs <= MOST_TAPS;
  const whole = fits(g.channels) && fits(g.batch) && g.outputs % block === 0;
  return whole && enough && room && g.dilations.every((d) => d === 1);
}

/** From this number of pixels of dY on, each sample is a group: dY needs no copy, and the taps are
 * few compared with dY. */
const LARGE_PIXELS = 1024;

/** Samples in a group: a divisor of the batch that is less than a block. ONNX Runtime would read a
 * whole block of samples as blocked images. */
function together({ batch, outputs, windows }: KernelGradient, block: number): number {
  if (outputs > block && windows[0] * windows[1] >= LARGE_PIXELS) return 1;
  const most = Math.min(batch, block - 1);
  for (let count = most; count > 1; count--) if (batch % count === 0) return count;
  return 1;
}

/** A gradient and the division of its numbers. */
interface Cut extends KernelGradient {
  /** Neighbouring channels of X in memory: a block, or all channels when they are fewer. */
  readonly side: number;
  /** The number of groups of samples, and the number of samples in a group. */
  readonly groups: number;
  readonly each: number;
}

export const kernelGradient: Rule = (l, node) => {
  const found = kernelGradientAt(node, { maker: (name) => l.maker(name), shape: (name) => l.shape(name) });
  if (!found || !l.isFloat(found.x) || !isWide(found, l.block)) return false;
  const each = together(found, l.block);
  const g: Cut = { ...found, side: Math.min(found.channels, l.block), each, groups: found.batch / each };
  const [output] = node.outputs as [ValueName];
  l.push({
    opType: "Reshape",
    domain: "",
    name: "",
    inputs: [isPointwise(g) ? pointwise(l, g) : windowed(l, g), l.b.ints([g.outputs, g.channels, ...g.kernel])],
    outputs: [output],
    attributes: {},
  });
  l.madePlain(output);
  return true;
};

/** Whether the kernel has one tap, which reads every pixel. */
const isPointwise = ({ kernel, image, windows, before }: KernelGradient): boolean =>
  kernel.every((k) => k === 1) && image.every((d, i) => d === windows[i]) && before.every((p) => p === 0);

/** dW [k, c] in memory. An image has one row for each block of channels. */
function pointwise(l: Layout, g: Cut): ValueName {
  const pixels = g.windows[0] * g.windows[1];
  const rows = g.channels / g.side;
  const image = reshaped(l, columnsOf(l, g), [1, g.batch, rows, pixels * g.side]);
  const taps = l.nchwc("Conv", [image, kernels(l, g, [1, pixels])], {
    group: int(g.groups),
    kernel_shape: ints([1, pixels]),
    dilations: ints([1, g.side]),
  });
  const summed = sumOfGroups(l, g, taps, 1);
  return blocksToPlain(l, summed, [g.outputs / l.block, l.block, g.channels, 1]);
}

/** dW [k, c, ky, kx] in memory. The blocks of X's channels form a batch. */
function windowed(l: Layout, g: Cut): ValueName {
  const blocks = g.channels / g.side;
  const taps = l.nchwc("Conv", [image(l, g), kernels(l, g, g.windows)], {
    group: int(g.groups),
    kernel_shape: ints(g.windows),
    pads: ints([g.before[0], 0, g.after[0], 0]),
    dilations: ints([g.strides[0], g.strides[1] * g.side]),
  });
  return kernelOf(l, g, sumOfGroups(l, g, taps, blocks));
}

/** X with zeros on the left and right: [c / side, n, h, w * side]. With padding in the convolution,
 * ONNX Runtime would add the taps one output at a time. */
function image(l: Layout, g: Cut): ValueName {
  const blocks = g.channels / g.side;
  const [height, width] = [g.image[0], (g.before[1] + g.image[1] + g.after[1]) * g.side];
  const value = columnsOf(l, g);
  const apart = blocks === 1 ? value : turned(l, value, [g.batch, blocks, height * width], [1, 0, 2]);
  return reshaped(l, apart, [blocks, g.batch, height, width]);
}

/** X in memory [n, c / side, h, left + w + right, side]. */
function columnsOf(l: Layout, g: Cut): ValueName {
  const [left, right] = [g.before[1], g.after[1]];
  if (g.side < l.block) {
    const last = l.op("Transpose", [l.plain(g.x)], { perm: ints([0, 2, 3, 1]) });
    return left + right === 0 ? last : l.op("Pad", [last, l.b.ints([0, 0, left, 0, 0, 0, right, 0])]);
  }
  if (left + right === 0) return l.blocked(g.x);
  const ones = fromNumbers("float32", [g.channels, 1, 1, 1], new Float64Array(g.channels).fill(1));
  return l.nchwc("Conv", [l.blocked(g.x), l.b.constant(ones, "ones")], {
    group: int(g.channels),
    kernel_shape: ints([1, 1]),
    pads: ints([0, left, 0, right]),
  });
}

/** dY as kernels [groups * k, samples of a group, ...size]. */
function kernels(l: Layout, g: Cut, size: readonly number[]): ValueName {
  const [blocks, pixels] = [g.outputs / l.block, size[0] * size[1]];
  const dy = l.blocked(g.dy);
  const apart =
    blocks === 1 || g.each === 1 ? dy : turned(l, dy, [g.groups, g.each, blocks, pixels * l.block], [0, 2, 1, 3]);
  return reshaped(l, apart, [g.groups * g.outputs, g.each, ...size]);
}

/** The sum of the taps [lead, groups, rest] over all groups of samples. */
function sumOfGroups(l: Layout, g: Cut, taps: ValueName, lead: number): ValueName {
  if (g.groups === 1) return taps;
  const rest = (g.outputs * g.channels * g.kernel[0] * g.kernel[1]) / lead;
  return reduceOver(l, "ReduceSum", reshaped(l, taps, [lead, g.groups, rest]), 1);
}

/** From [c / side, k / block, ky, kx, side, block] to [k, c, ky, kx], in memory. */
function kernelOf(l: Layout, g: Cut, summed: ValueName): ValueName {
  const [blocks, taps] = [g.channels / g.side, g.kernel[0] * g.kernel[1]];
  const outputs = blocksToPlain(l, summed, [blocks, g.outputs, taps, g.side]);
  if (g.side < l.block) return turned(l, outputs, [g.outputs, taps, g.side], [0, 2, 1]);
  const channels = blocksToPlain(l, outputs, [blocks * g.outputs, l.block, taps, 1]);
  return blocks === 1 ? channels : turned(l, channels, [blocks, g.outputs, l.block * taps], [1, 0, 2]);
}
