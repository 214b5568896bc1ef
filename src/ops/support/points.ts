/** @file Index tuples of GatherND and ScatterND. The last axis of `indices` [..., q] holds the
 *  first q coordinates of a slice of the data, after the batch axes. */
import { type Dims, isStatic, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { mismatch, type NdArray } from "../../graph/op.js";
import { wrapIndex } from "./elements.js";
import { unknown } from "./known.js";

/** Number of coordinates in each tuple.
 * @throws DynnError 'shape/unknown' when it is not known, 'shape/mismatch' when it is larger
 *   than the number of the data's axes */
export function tupleLength(node: Node, data: Shape, indices: Shape, batchAxes = 0): number {
  const q = indices.at(-1);
  if (typeof q === "string") throw unknown(node, "the last length of the indices is not known");
  const fits = q !== undefined && q >= 1 && batchAxes < indices.length && batchAxes + q <= data.length;
  if (fits && batchAxes >= 0) return q;
  throw mismatch(
    node,
    `indices [${indices}] do not fit data [${data}] with ${batchAxes} batch axes. Give tuples of 1 to ${data.length - batchAxes} indices.`,
    { data, indices },
  );
}

/** For each tuple the flat position in the data where its slice starts. */
export function slicePositions(node: Node, data: Dims, indices: NdArray, batchAxes = 0): Int32Array {
  const q = tupleLength(node, data, indices.dims, batchAxes);
  const strides = stridesOf(data).slice(batchAxes, batchAxes + q);
  const batchSize = sizeOf(data.slice(batchAxes));
  const perBatch = sizeOf(indices.dims.slice(batchAxes, -1));
  return Int32Array.from({ length: indices.data.length / q }, (_, tuple) =>
    strides.reduce(
      (at, stride, i) => at + stride * wrapIndex(node, indices.data[tuple * q + i], data[batchAxes + i]),
      Math.floor(tuple / perBatch) * batchSize,
    ),
  );
}

/** The lengths of the axes that the tuples index. Gradients need them as numbers. */
export function tupleLengths(data: Shape, batchAxes: number, q: number): Dims | undefined {
  const lengths = data.slice(batchAxes, batchAxes + q);
  return isStatic(lengths) ? lengths : undefined;
}
