/** @file Nodes whose signature depends on the opset, for gradient rules. Each helper function
 *  appends the form of the graph's opset. */
import type { DType } from "../../core/dtype.js";
import { isStatic, multiplyDims, type Shape } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { int, ints, tensorAttribute } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";

/** The first opset in which each operator takes `axes` as an input. */
const AXES_INPUT_SINCE = {
  ReduceSum: 13,
  ReduceMean: 18,
  ReduceMax: 18,
  ReduceMin: 18,
  ReduceProd: 18,
  ReduceL1: 18,
  ReduceL2: 18,
  Squeeze: 13,
  Unsqueeze: 13,
} as const;
type AxesOp = keyof typeof AXES_INPUT_SINCE;

function withAxes(b: GraphBuilder, op: AxesOp, x: ValueName, axes: readonly number[], keepdims?: boolean): ValueName {
  const keep = keepdims === undefined ? {} : { keepdims: int(keepdims ? 1 : 0) };
  if (b.opset >= AXES_INPUT_SINCE[op]) return b.op(op, [x, b.ints(axes)], keep);
  return b.op(op, [x], { axes: ints(axes), ...keep });
}

export type Reduction = Exclude<AxesOp, "Squeeze" | "Unsqueeze">;

/** Reduces over `axes`, which must not be empty. */
export const reduce = (
  b: GraphBuilder,
  op: Reduction,
  x: ValueName,
  axes: readonly number[],
  keepdims: boolean,
): ValueName => withAxes(b, op, x, axes, keepdims);

export const reduceSum = (b: GraphBuilder, x: ValueName, axes: readonly number[], keepdims: boolean): ValueName =>
  axes.length === 0 ? x : withAxes(b, "ReduceSum", x, axes, keepdims);

export const squeeze = (b: GraphBuilder, x: ValueName, axes: readonly number[]): ValueName =>
  axes.length === 0 ? x : withAxes(b, "Squeeze", x, axes);

export const unsqueeze = (b: GraphBuilder, x: ValueName, axes: readonly number[]): ValueName =>
  axes.length === 0 ? x : withAxes(b, "Unsqueeze", x, axes);

export const transpose = (b: GraphBuilder, x: ValueName, perm: readonly number[]): ValueName =>
  perm.every((axis, i) => axis === i) ? x : b.op("Transpose", [x], { perm: ints(perm) });

/** Slices with constant steps, positive or negative. From opset 10 on all parameters are inputs. */
export const slice = (
  b: GraphBuilder,
  x: ValueName,
  part: { starts: readonly number[]; ends: readonly number[]; axes: readonly number[]; steps?: readonly number[] },
): ValueName =>
  b.op("Slice", [
    x,
    b.ints(part.starts),
    b.ints(part.ends),
    b.ints(part.axes),
    ...(part.steps ? [b.ints(part.steps)] : []),
  ]);

/** Pads with zeros. The pads are in ONNX order: all begins, then all ends. */
export const padZeros = (b: GraphBuilder, x: ValueName, pads: readonly number[]): ValueName =>
  pads.every((p) => p === 0) ? x : b.op("Pad", [x, b.ints(pads)]);

/** Reshapes to a known shape. One unknown dimension becomes -1. More unknown dimensions are read
 * from `like`, a value of that shape. */
export function reshapeTo(b: GraphBuilder, x: ValueName, shape: Shape, like?: ValueName): ValueName {
  const unknown = shape.filter((d) => typeof d === "string").length;
  const empty = shape.some((d) => d === 0);
  const zeros = empty && b.opset >= 14 ? { allowzero: int(1) } : {};
  if ((unknown <= 1 && !empty) || like === undefined)
    return b.op("Reshape", [x, b.ints(shape.map((d) => (typeof d === "number" ? d : -1)))], zeros);
  return b.op("Reshape", [x, shapeOf(b, like, shape)], zeros);
}

/** The shape of `like` as an int64 value. It is a constant when all lengths are known. */
export const shapeOf = (b: GraphBuilder, like: ValueName, shape: Shape): ValueName =>
  isStatic(shape) ? b.ints(shape) : b.op("Shape", [like]);

/** Zeros in the shape of `like`. */
export const zerosLike = (b: GraphBuilder, like: ValueName, shape: Shape, dtype: DType = "float32"): ValueName =>
  b.op("ConstantOfShape", [shapeOf(b, like, shape)], { value: tensorAttribute(fromNumbers(dtype, [1], [0])) });

/** Cuts `axis` into parts of known lengths. Before opset 13 the lengths are an attribute. */
export const split = (b: GraphBuilder, x: ValueName, axis: number, lengths: readonly number[]): ValueName[] =>
  b.opset >= 13
    ? b.ops("Split", [x, b.ints(lengths)], lengths.length, { axis: int(axis) })
    : b.ops("Split", [x], lengths.length, { axis: int(axis), split: ints(lengths) });

/** Sums a gradient over the axes along which `to` was broadcast to `from`. The result has the
 * shape of `to`. */
export function unbroadcast(b: GraphBuilder, grad: ValueName, from: Shape, to: Shape): ValueName {
  const pad = from.length - to.length;
  const lead = Array.from({ length: pad }, (_, i) => i);
  const stretched = to.flatMap((d, i) => (d === 1 && from[i + pad] !== 1 ? [i + pad] : []));
  const summed = reduceSum(b, grad, stretched, true);
  return reduceSum(b, summed, lead, false);
}

/** Number of elements over `axes`, when known. */
export function countOver(shape: Shape, axes: readonly number[]): number | undefined {
  const count = multiplyDims(axes.map((axis) => shape[axis] ?? 1));
  return typeof count === "number" ? count : undefined;
}
