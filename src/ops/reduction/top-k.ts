/** @file TopK: the k largest (or smallest) elements along an axis, in order, and their indices; of equal elements the first comes
 *  first. The gradient goes back to the elements that were taken. Spec: ONNX TopK-11. */
import type { Dim } from "../../core/shape.js";
import { attribute, int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { zerosLike } from "../support/emit.js";
import { axisOf, elements, unknownDim } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

function checkCount(node: Node, k: number, length: number): number {
  if (Number.isInteger(k) && k >= 0 && k <= length) return k;
  throw mismatch(node, `k is ${k} for an axis of length ${length}. Use a k from 0 to ${length}.`, { k, length });
}

function taken(node: Node, length: Dim, k: Dim | undefined, axis: number): Dim {
  if (typeof k === "number" && typeof length === "number") return checkCount(node, k, length);
  return k ?? unknownDim(node, axis);
}

function best(node: Node, x: NdArray, k: number): readonly [values: NdArray, indices: NdArray] {
  const axis = axisOf(node, x.dims.length, -1);
  const { outer, length, inner } = aroundAxis(x.dims, axis);
  const dims = x.dims.map((d, i) => (i === axis ? checkCount(node, k, length) : d));
  const [values, indices] = [ndZeros(dims), ndZeros(dims)];
  const sign = attribute(node, "largest", "int") === 0 ? 1 : -1;
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (index: number) => x.data[(o * length + index) * inner + i];
      const order = Array.from({ length }, (_, index) => index).sort((a, b) => sign * (at(a) - at(b)) || a - b);
      order.slice(0, k).forEach((index, rank) => {
        values.data[(o * k + rank) * inner + i] = at(index);
        indices.data[(o * k + rank) * inner + i] = index;
      });
    }
  return [values, indices];
}

/** No element is taken twice, so plain writes are enough. */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const zeros = zerosLike(b, node.inputs[0], shape, dtype);
  return b.op("ScatterElements", [zeros, node.outputs[1], dy], { axis: int(axisOf(node, shape.length, -1)) }, "grad");
}

export const TopK: OpDef = {
  type: "TopK",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const axis = axisOf(ctx.node, shape.length, -1);
    const k = taken(ctx.node, shape[axis], elements(ctx, 1)?.[0], axis);
    const picked = shape.map((d, i) => (i === axis ? k : d));
    return [
      { dtype, shape: picked },
      { dtype: "int64", shape: picked },
    ];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => best(node, given(inputs, 0), given(inputs, 1).data[0]),
};
