/** @file Reinterprets memory under other dimensions, and reorders it. ONNX Runtime's changes of
 *  layout are its fastest transposes of two axes, whatever the numbers mean. */
import { int, ints } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";

/** The same memory under other dimensions. */
export const reshaped = (l: Layout, value: ValueName, dims: readonly number[]): ValueName =>
  l.op("Reshape", [value, l.b.ints(dims)]);

/** Memory seen as `dims`, with its axes in another order. */
export const turned = (l: Layout, value: ValueName, dims: readonly number[], perm: readonly number[]): ValueName =>
  l.op("Transpose", [reshaped(l, value, dims)], { perm: ints(perm) });

/** Memory seen as [n, c / block, h * w, block] to [n, c, h * w].
 * @param dims [n, c, h, w] */
export const blocksToPlain = (l: Layout, value: ValueName, dims: readonly number[]): ValueName =>
  l.nchwc("ReorderOutput", [reshaped(l, value, dims)], { channels: int(dims[1]) });

/** Memory seen as [n, c, h * w] to [n, c / block, h * w, block].
 * @param dims [n, c, h, w], or [n, h, w, c] with the channels last */
export const plainToBlocks = (l: Layout, value: ValueName, dims: readonly number[], last = false): ValueName =>
  l.nchwc("ReorderInput", [reshaped(l, value, dims)], last ? { channels_last: int(1) } : {});

/** The sum or mean over one axis, which is removed. The axis is an attribute or an input, depending
 * on the opset. */
export function reduceOver(l: Layout, op: "ReduceSum" | "ReduceMean", value: ValueName, axis: number): ValueName {
  const asInput = l.b.opset >= (op === "ReduceSum" ? 13 : 18);
  return asInput
    ? l.op(op, [value, l.b.ints([axis])], { keepdims: int(0) })
    : l.op(op, [value], { axes: ints([axis]), keepdims: int(0) });
}
