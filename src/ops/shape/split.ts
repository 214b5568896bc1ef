/** @file Split: cuts along an axis into parts of given or equal length. The lengths are an attribute before opset 13; from 18 on
 *  `num_outputs` asks for equal parts, the last of which may be shorter. Spec: ONNX Split-18. */
import { type Dim, divideDims, type Shape } from "../../core/shape.js";
import { attribute, int } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { zerosLike } from "../support/emit.js";
import { axisOf, listed, numbers, unknownDim } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

/** Length of each part. */
function sizes(node: Node, shape: Shape, axis: number, fromInput: ArrayLike<number> | undefined): readonly Dim[] {
  const length = shape[axis];
  const stated = listed(node, "split", fromInput);
  if (!stated) return equalParts(node, length, axis, attribute(node, "num_outputs", "int") ?? node.outputs.length);
  const sum = stated.reduce((a, d) => a + d, 0);
  if (
    stated.length === node.outputs.length &&
    stated.every((d) => d >= 0) &&
    (typeof length !== "number" || sum === length)
  )
    return stated;
  throw mismatch(
    node,
    `split [${stated}] does not cut a length of ${length} into ${node.outputs.length} parts. Make the parts add up.`,
    { split: stated, length },
  );
}

function equalParts(node: Node, length: Dim, axis: number, count: number): readonly Dim[] {
  if (count !== node.outputs.length)
    throw mismatch(
      node,
      `num_outputs is ${count} but the node has ${node.outputs.length} outputs. Export the model again.`,
    );
  if (typeof length !== "number")
    return node.outputs.map((_, i) => divideDims(length, count) ?? unknownDim(node, axis, i));
  const part = Math.ceil(length / count);
  return node.outputs.map((_, i) => Math.max(0, Math.min(part, length - i * part)));
}

const partsOf = (
  node: Node,
  shape: Shape,
  fromInput: ArrayLike<number> | undefined,
): { axis: number; parts: readonly Dim[] } => {
  const axis = axisOf(node, shape.length, 0);
  return { axis, parts: sizes(node, shape, axis, fromInput) };
};

const run: OpDef["run"] = (inputs, { node }) => {
  const x = given(inputs, 0);
  const { axis, parts } = partsOf(node, x.dims, inputs[1]?.data);
  const { outer, length, inner } = aroundAxis(x.dims, axis);
  let at = 0;
  return (parts as readonly number[]).map((part) => {
    const y = ndZeros(x.dims.map((d, i) => (i === axis ? part : d)));
    for (let o = 0; o < outer; o++)
      y.data.set(x.data.subarray(o * length * inner + at, o * length * inner + at + part * inner), o * part * inner);
    at += part * inner;
    return y;
  });
};

export const Split: OpDef = {
  type: "Split",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape, value } = inputType(ctx, 0);
    const { axis, parts } =
      ctx.inputs[1] && !numbers(ctx, 1)
        ? { axis: axisOf(ctx.node, shape.length, 0), parts: ctx.node.outputs.map((_, i) => unknownDim(ctx.node, 0, i)) }
        : partsOf(ctx.node, shape, numbers(ctx, 1));
    return parts.map((part, i) => {
      const type = { dtype, shape: shape.map((d, k) => (k === axis ? part : d)) };
      const start = parts.slice(0, i).reduce<number>((a, d) => a + Number(d), 0);
      return value && shape.length === 1 && typeof part === "number" && Number.isInteger(start)
        ? { ...type, value: value.slice(start, start + part) }
        : type;
    });
  },
  vjp: (ctx) => {
    const { b, node, outputs } = ctx;
    const axis = axisOf(node, inputType(ctx, 0).shape.length, 0);
    const parts = node.outputs.map(
      (name, i) => ctx.grads[i] ?? (outputs[i] ? zerosLike(b, name, outputs[i].shape, outputs[i].dtype) : ""),
    );
    return [parts.length === 1 ? parts[0] : b.op("Concat", parts, { axis: int(axis) }, "grad")];
  },
  run,
};
