/** @file The gradient of w in a correlation (see correlation.ts) as matrix products per sample and
 *  group, for known image sizes.
 *  - stride 1: dw[ky, kx] = sum over (row, column) of X[row, column + kx] * dY[row - ky, column]. X
 *    is moved sideways for every kx, and dY is moved up and down for every ky. One product of these
 *    copies has all taps as its blocks, so 3 + 3 copies do the work of 9.
 *  - other strides: dY times the patches of X (im2col).
 *  Few pixels are multiplied over the whole batch at once, many pixels sample by sample: the
 *  product is small compared with the sum's length.
 *  Measured on ONNX Runtime, 2 cores, GFLOP/s: 48-81 and 30-66. */
import type { Shape } from "../../core/shape.js";
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { type Correlation, tailOf } from "./correlation.js";
import { padZeros, reduceSum, slice, transpose } from "./emit.js";

/** dW [o, c/g, ky, kx] for dY, by matrix products. */
export const byProducts = (c: Correlation, dy: ValueName): ValueName =>
  c.window.strides.every((s) => s === 1) ? byMovedImages(c, dy) : byPatches(c, dy);

/** Channels, height and width of X and of dY. */
export const sizesOf = ({ xShape, yShape }: Correlation) => ({ x: imageOf(xShape), y: imageOf(yShape) });

const imageOf = ([, ...image]: Shape) => image as unknown as readonly [number, number, number];

/** The sizes in front of the channels of one group. Empty when there is only one group. */
const lead = ({ groups }: Correlation): number[] => (groups === 1 ? [] : [groups]);

/** [n, c, h, w] as [n, groups, c / groups, h, w], or unchanged with one group. */
const grouped = (
  c: Correlation,
  value: ValueName,
  [channels, height, width]: readonly [number, number, number],
): ValueName =>
  c.groups === 1 ? value : c.b.op("Reshape", [value, c.b.ints([-1, c.groups, channels / c.groups, height, width])]);

const joined = (c: Correlation, parts: readonly ValueName[]): ValueName =>
  parts.length === 1 ? parts[0] : c.b.op("Concat", parts, { axis: int(lead(c).length + 1) });

/** Up to this number of pixels, one product sums over the batch too. */
const FEW_PIXELS = 64;

/** Sum over the batch of left [n, g, rows, length] times right [n, g, columns, length] transposed:
 * [g, rows, columns]. */
function contract(
  c: Correlation,
  left: { readonly value: ValueName; readonly rows: number },
  right: { readonly value: ValueName; readonly rows: number },
  length: number,
): ValueName {
  if (c.groups === 1 && length <= FEW_PIXELS) {
    const columns = ({ value, rows }: typeof left): ValueName =>
      c.b.op("Reshape", [transpose(c.b, value, [0, 2, 3, 1]), c.b.ints([-1, rows])]);
    return c.b.op("Gemm", [columns(left), columns(right)], { transA: int(1) });
  }
  const flat = ({ value, rows }: typeof left): ValueName =>
    c.b.op("Reshape", [value, c.b.ints([-1, ...lead(c), rows, length])]);
  const perm = c.groups === 1 ? [0, 2, 1] : [0, 1, 3, 2];
  return reduceSum(c.b, c.b.op("MatMul", [flat(left), transpose(c.b, flat(right), perm)]), [0], false);
}

/** Pad or cut the last two axes. */
function moved(
  c: Correlation,
  value: ValueName,
  rows: readonly [number, number],
  columns: readonly [number, number],
): ValueName {
  const before = [0, ...lead(c).map(() => 0), 0];
  return padZeros(c.b, value, [...before, rows[0], columns[0], ...before, rows[1], columns[1]]);
}

function byMovedImages(c: Correlation, dy: ValueName): ValueName {
  const { b, window, groups } = c;
  const { x, y } = sizesOf(c);
  const [kernelRows, kernelColumns] = window.kernel as [number, number];
  const images = grouped(c, c.x, x);
  const gradients = grouped(c, dy, y);
  const sideways = range(kernelColumns).map((k) => {
    const left = window.before[1] - k * window.dilations[1];
    return moved(c, images, [0, 0], [left, y[2] - x[2] - left]);
  });
  const vertical = range(kernelRows).map((k) => {
    const top = k * window.dilations[0] - window.before[0];
    return moved(c, gradients, [top, x[1] - y[1] - top], [0, 0]);
  });
  const [inputs, outputs] = [x[0] / groups, y[0] / groups];
  const taps = contract(
    c,
    { value: joined(c, vertical), rows: kernelRows * outputs },
    { value: joined(c, sideways), rows: kernelColumns * inputs },
    x[1] * y[2],
  );
  // In two steps: ONNX Runtime moves whole lines fast, and two axes fast, but not five.
  const blocks = b.op("Reshape", [taps, b.ints([groups, kernelRows, outputs, kernelColumns, inputs])]);
  const lines = transpose(b, blocks, [0, 2, 1, 3, 4]);
  const perOutput = b.op("Reshape", [lines, b.ints([y[0], kernelRows * kernelColumns, inputs])]);
  return b.op("Reshape", [transpose(b, perOutput, [0, 2, 1]), b.ints([y[0], inputs, kernelRows, kernelColumns])]);
}

function byPatches(c: Correlation, dy: ValueName): ValueName {
  const { b, window, groups } = c;
  const { x, y } = sizesOf(c);
  const [kernelRows, kernelColumns] = window.kernel as [number, number];
  const after = [0, 1].map((i) => Math.max(0, -(tailOf(c, i) as number))) as [number, number];
  const padded = moved(c, grouped(c, c.x, x), [window.before[0], after[0]], [window.before[1], after[1]]);
  const patches = range(kernelRows).flatMap((row) =>
    range(kernelColumns).map((column) => {
      const starts = [row * window.dilations[0], column * window.dilations[1]];
      const ends = starts.map((start, i) => start + (y[i + 1] - 1) * window.strides[i] + 1);
      return slice(b, padded, { starts, ends, axes: [lead(c).length + 2, lead(c).length + 3], steps: window.strides });
    }),
  );
  const [inputs, outputs] = [x[0] / groups, y[0] / groups];
  const taps = contract(
    c,
    { value: grouped(c, dy, y), rows: outputs },
    { value: joined(c, patches), rows: patches.length * inputs },
    y[1] * y[2],
  );
  const blocks = b.op("Reshape", [taps, b.ints([groups, outputs, kernelRows, kernelColumns, inputs])]);
  return b.op("Reshape", [transpose(b, blocks, [0, 1, 4, 2, 3]), b.ints([y[0], inputs, kernelRows, kernelColumns])]);
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
