/** @file Scales and zero points of quantized tensors. A tensor has one pair, one per index along
 *  an axis, or (opset 21) one per block of elements along the axis. Spec: ONNX
 *  QuantizeLinear-21, DequantizeLinear-21. */
import { stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch, type NdArray } from "../../graph/op.js";
import { axisOf } from "./known.js";

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
