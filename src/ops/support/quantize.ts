/** @file Scales and zero points of quantized tensors. A tensor has one pair, one per index along
 *  an axis, or (opset 21) one per block of elements along the axis. Spec: ONNX
 *  QuantizeLinear-21, DequantizeLinear-21. */
import { byteSize, type DType } from "../../core/dtype.js";
import { type Shape, stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch, type NdArray, type NoGradient } from "../../graph/op.js";
import { axisOf } from "./known.js";
import { ndBroadcast, ndMap } from "./nd.js";
import { roundHalfEven } from "./scalar.js";

/** The entry of an operator that computes with 8-bit integers. It blocks the gradient of a loss
 * that depends on it. */
export const QUANTIZED: NoGradient = { none: "it computes with 8-bit integers", blocks: true };

/** The least and the largest integer of a type. */
export function rangeOf(dtype: DType): readonly [number, number] {
  const steps = 2 ** (8 * byteSize(dtype));
  return dtype.startsWith("u") ? [0, steps - 1] : [-steps / 2, steps / 2 - 1];
}

/** The nearest step to a real number, limited to the integer type.
 * @param steps the number divided by the scale */
export const toStep = (steps: number, zero: number, [low, high]: readonly [number, number]): number =>
  Math.max(low, Math.min(high, roundHalfEven(steps) + zero));

/** An integer array without its zero points: one number, one per index along `axis`, or an array
 * that broadcasts. */
export function centered(node: Node, x: NdArray, zero: NdArray | undefined, axis: number): NdArray {
  if (!zero) return x;
  if (zero.data.length === 1) return ndMap(x, (v) => v - zero.data[0]);
  const dims = zero.dims.length === 1 ? x.dims.map((_, i) => (i === axis ? zero.data.length : 1)) : zero.dims;
  return ndBroadcast([x, { dims, data: zero.data }], (v, z) => v - z, node.name);
}

/** The shape to which the scales of x are reshaped, so that they broadcast against x. Undefined
 * for scales per block. */
export function scaleShape(node: Node, x: Shape, scale: Shape): Shape | undefined {
  const [length] = scale;
  if (scale.length === 0 || (scale.length === 1 && length === 1)) return [];
  const axis = axisOf(node, x.length, 1);
  return scale.length === 1 ? x.slice(axis).map((_, i) => (i === 0 ? length : 1)) : undefined;
}

/** For each element of x the index of its scale.
 * @throws DynnError 'shape/mismatch' when the scales do not fit */
export function scaleIndex(node: Node, x: NdArray, scale: NdArray): (i: number) => number {
  if (scale.data.length === 1) return () => 0;
  const axis = axisOf(node, x.dims.length, 1);
  const strides = stridesOf(x.dims);
  const along = (i: number) => Math.floor(i / strides[axis]) % x.dims[axis];
  if (scale.dims.length === 1 && scale.dims[0] === x.dims[axis]) return along;
  const block = attribute(node, "block_size", "int") ?? 0;
  const blocks = x.dims.map((d, i) => (i === axis ? Math.ceil(d / block) : d));
  if (block < 1 || scale.dims.length !== x.dims.length || blocks.some((d, i) => d !== scale.dims[i]))
    throw mismatch(
      node,
      `scales [${scale.dims}] do not fit x [${x.dims}] along axis ${axis}. Give one, one per index of the axis, or one per block.`,
      { scale: scale.dims, x: x.dims },
    );
  const steps = stridesOf(blocks);
  return (i) =>
    x.dims.reduce((at, d, k) => {
      const index = Math.floor(i / strides[k]) % d;
      return at + steps[k] * (k === axis ? Math.floor(index / block) : index);
    }, 0);
}
