/** @file Puts the weights of convolutions into blocks. Constants are converted once in advance,
 *  other weights once in each run. */
import { sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { isSwap } from "../kernel-gradients.js";
import type { Layout } from "./layout.js";
import { blocksToPlain, plainToBlocks, reshaped } from "./reorder.js";

/** W [o, i, ...k] as [o / block, i, ...k, block of o]: for few input channels, and for depthwise
 * convolutions. */
export function outputsBlocked(l: Layout, w: ValueName): ValueName {
  const value = l.constant(w);
  if (!value) return kernelsBlocked(l, l.plain(w), l.shape(w) as number[]);
  const [o, each] = [value.dims[0], sizeOf(value.dims.slice(1))];
  return l.laidOut(w, "outputs", () => reordered(value, [o / l.block, l.block, each], [0, 2, 1]));
}

/** {@link outputsBlocked} for weights that are not constant. */
const kernelsBlocked = (l: Layout, plain: ValueName, dims: readonly number[]): ValueName =>
  reshaped(l, outputsInside(l, plain, dims), dims);

/** W [o, each] as [o / block, each, block of o], in memory. */
const outputsInside = (l: Layout, plain: ValueName, [o, ...rest]: readonly number[]): ValueName =>
  plainToBlocks(l, plain, [o / l.block, l.block, sizeOf(rest), 1]);

/** Depthwise kernels in blocks, with their taps in reverse order. */
export function turned(l: Layout, w: ValueName, kernel: readonly number[]): ValueName {
  const all = (value: number): ValueName => l.b.ints([value, value]);
  const taps = kernel.every((k) => k === 1)
    ? l.plain(w)
    : l.op("Slice", [l.plain(w), all(-1), all(-(2 ** 31)), l.b.ints([2, 3]), all(-1)]);
  return kernelsBlocked(l, taps, l.shape(w) as number[]);
}

/** W [o, i, ...k] as [o / block, i / block, ...k, block of i, block of o]. */
export function bothBlocked(l: Layout, w: ValueName): ValueName {
  const value = l.constant(w);
  if (value) return l.laidOut(w, "both", () => inBothBlocks(value, l.block));
  const source = isSwap(l.maker(w)) ? (l.maker(w)?.inputs[0] as ValueName) : undefined;
  return (source !== undefined && backwards(l, w, source)) || l.once(`both ${w}`, () => fedBlocks(l, w));
}

export function inBothBlocks(value: Tensor, block: number): Tensor {
  const [o, i, ...k] = value.dims as [number, number, ...number[]];
  return reordered(value, [o / block, block, i / block, block, sizeOf(k)], [0, 2, 4, 3, 1]);
}

/** {@link bothBlocked} for weights that are not constant: the input channels move inside first,
 * then the outputs. */
function fedBlocks(l: Layout, w: ValueName): ValueName {
  const [o, i, ...k] = l.shape(w) as [number, number, ...number[]];
  const taps = sizeOf(k);
  const plain = l.plain(w);
  const inside = taps === 1 ? plain : plainToBlocks(l, plain, [(o * i) / l.block, l.block, taps, 1]);
  return kernelsBlocked(l, inside, [o, i, ...k]);
}

/** The kernel of a gradient in blocks, made from the original kernel.
 * It is W [i, o, ...k], with swapped channels and its taps in reverse order.
 * @param source the value whose channels are swapped */
function backwards(l: Layout, w: ValueName, source: ValueName): ValueName | undefined {
  const dims = l.shape(w) as number[];
  const [i, o, ...k] = dims as [number, number, ...number[]];
  if (sizeOf(k) === 1) return reshaped(l, plainToBlocks(l, l.plain(source), [1, o, 1, i], true), dims);
  const reversed = l.maker(source);
  if (!reversed || !turnsTaps(l, reversed)) return undefined;
  const blocks = bothBlocked(l, reversed.inputs[0]);
  return reshaped(l, turnedBlocks(l, blocks, { rows: o / l.block, columns: i / l.block, taps: sizeOf(k) }), dims);
}

/** Whether a node reverses the order of all taps of a kernel. */
function turnsTaps(l: Layout, node: Node): boolean {
  if (node.opType !== "Slice" || node.inputs.length !== 5) return false;
  const [starts = [], ends = [], axes = [], steps = []] = node.inputs.slice(1).map((name) => {
    const value = l.constant(name);
    return value ? [...toNumbers(value)] : [];
  });
  const size = l.shape(node.inputs[0]);
  const long = [2, 3].filter((axis) => size[axis] !== 1);
  const whole = ends.length > 0 && ends.every((end, n) => end < -(size[axes[n]] as number));
  return whole && axes.join() === long.join() && [...starts, ...steps].every((number) => number === -1);
}

interface Squares {
  readonly rows: number;
  readonly columns: number;
  readonly taps: number;
}

/** Transposes squares of channels: [rows, columns, taps, block, block] to [columns, rows, taps in
 * reverse order, block, block], each square transposed. */
function turnedBlocks(l: Layout, blocks: ValueName, { rows, columns, taps }: Squares): ValueName {
  const count = rows * columns * taps;
  const order = l.once(`order ${rows} ${columns} ${taps}`, () => {
    const from = Array.from({ length: count }, (_, to) => {
      const [column, row, tap] = [Math.floor(to / (rows * taps)), Math.floor(to / taps) % rows, to % taps];
      return (row * columns + column) * taps + taps - 1 - tap;
    });
    return l.b.constant(fromNumbers("int64", [count], from), "order");
  });
  const moved = l.op("Gather", [reshaped(l, blocks, [count, l.block * l.block]), order], { axis: int(0) });
  return blocksToPlain(l, moved, [count, l.block, l.block, 1]);
}

/** A constant of the same dimensions, whose elements are seen as `dims` and permuted to another
 * order of axes. */
function reordered(value: Tensor, dims: readonly number[], order: readonly number[]): Tensor {
  const strides = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const [from, to] = [value.data as Float32Array, new Float32Array(value.data.length)];
  let at = 0;
  const walk = (depth: number, offset: number): void => {
    const axis = order[depth];
    const [count, step] = [dims[axis], strides[axis]];
    if (depth === order.length - 1) for (let i = 0; i < count; i++) to[at++] = from[offset + i * step];
    else for (let i = 0; i < count; i++) walk(depth + 1, offset + i * step);
  };
  walk(0, 0);
  return { dtype: value.dtype, dims: value.dims, data: to };
}
