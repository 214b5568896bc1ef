/** @file Loops shared by the reference kernels: broadcasting, index walks, axis splits. Plain and slow on purpose. */
import { DynnError } from "../../core/errors.js";
import { broadcastShapes, type Dims, sizeOf, stridesOf } from "../../core/shape.js";
import type { NdArray } from "../../graph/op.js";

export const ndZeros = (dims: Dims): NdArray => ({ dims, data: new Float64Array(sizeOf(dims)) });
export const ndOf = (dims: Dims, values: ArrayLike<number>): NdArray => ({ dims, data: Float64Array.from(values) });

/** Map over one array. */
export const ndMap = (x: NdArray, f: (value: number) => number): NdArray => ({ dims: x.dims, data: x.data.map(f) });

/** Offsets into an array of shape `from` for each element of the broadcast shape `to`, row-major. */
export function broadcastOffsets(from: Dims, to: Dims): Int32Array {
  const strides = stridesOf(from);
  const pad = to.length - from.length;
  const steps = to.map((_, axis) => (axis < pad || from[axis - pad] === 1 ? 0 : strides[axis - pad]));
  return walkOffsets(to, steps);
}

/** Offsets visited by a row-major walk over `dims` with the given step per axis. */
export function walkOffsets(dims: Dims, steps: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(sizeOf(dims));
  if (offsets.length === 0) return offsets;
  const index = new Array<number>(dims.length).fill(0);
  let offset = start;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      offset += steps[axis];
      if (++index[axis] < dims[axis]) break;
      offset -= dims[axis] * steps[axis];
      index[axis] = 0;
    }
  }
  return offsets;
}

/** Map over several arrays, broadcast against each other. */
export function ndBroadcast(arrays: readonly NdArray[], f: (...values: number[]) => number, where: string): NdArray {
  const dims = arrays.map((a) => a.dims).reduce((a, b) => broadcastShapes(a, b, where) as number[]);
  const offsets = arrays.map((a) => broadcastOffsets(a.dims, dims));
  const data = new Float64Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) data[i] = f(...arrays.map((a, k) => a.data[offsets[k][i]]));
  return { dims, data };
}

/** A shape around one axis: elements before it, along it, after it. */
export const aroundAxis = (dims: Dims, axis: number): { outer: number; length: number; inner: number } => ({
  outer: sizeOf(dims.slice(0, axis)),
  length: dims[axis],
  inner: sizeOf(dims.slice(axis + 1)),
});

/** Reorder axes: output axis i is input axis perm[i]. */
export function ndTranspose(x: NdArray, perm: readonly number[]): NdArray {
  const strides = stridesOf(x.dims);
  const dims = perm.map((axis) => x.dims[axis]);
  const offsets = walkOffsets(
    dims,
    perm.map((axis) => strides[axis]),
  );
  return { dims, data: Float64Array.from(offsets, (offset) => x.data[offset]) };
}

/** The input array i of a kernel.
 * @throws DynnError 'model/input' when it is absent (shape rules do not ask for inputs that only the kernel reads) */
export function given(inputs: readonly (NdArray | undefined)[], i: number): NdArray {
  const found = inputs[i];
  if (found) return found;
  throw new DynnError("model/input", `a node lacks its input ${i}. Export the model again.`, { input: i });
}
