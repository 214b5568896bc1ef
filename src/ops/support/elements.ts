/** @file Walks over index tensors along one axis, for the Gather and Scatter kernels. */
import { stridesOf } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { mismatch, type NdArray } from "../../graph/op.js";
import { walkOffsets } from "./nd.js";

/** An index as 0..length-1. A negative index counts from the back.
 * @throws DynnError 'shape/mismatch' when the index is outside */
export function wrapIndex(node: Node, index: number, length: number): number {
  const at = index < 0 ? index + length : index;
  if (at >= 0 && at < length) return at;
  throw mismatch(
    node,
    `index ${index} is outside an axis of length ${length}. Use indices from ${-length} to ${length - 1}.`,
    { index, length },
  );
}

/** For each element of `indices`, which has the rank of `data`, the flat position in `data` that
 * it selects along `axis`. */
export function elementPositions(node: Node, data: NdArray, indices: NdArray, axis: number): Int32Array {
  if (data.dims.length !== indices.dims.length || indices.dims.some((d, i) => i !== axis && d > data.dims[i]))
    throw mismatch(
      node,
      `indices [${indices.dims}] do not fit data [${data.dims}] along axis ${axis}. Give equal ranks, and axes that are at most as long as those of the data.`,
    );
  const strides = stridesOf(data.dims);
  const positions = walkOffsets(
    indices.dims,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  return positions.map((at, i) => at + wrapIndex(node, indices.data[i], data.dims[axis]) * strides[axis]);
}
