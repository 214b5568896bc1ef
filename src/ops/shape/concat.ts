/** @file Concat: joins along an axis. Spec: ONNX Concat-13. */
import { type Dim, isStatic, type Shape } from "../../core/shape.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { shapeOf, slice, split } from "../support/emit.js";
import { axisOf, sameDim, unknownDim } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

function joined(node: Node, shapes: readonly Shape[]): Dim[] {
  const first = shapes[0] ?? [];
  const axis = axisOf(node, first.length, 0);
  if (shapes.some((s) => s.length !== first.length))
    throw mismatch(node, `ranks ${shapes.map((s) => s.length).join(" and ")} differ. Give inputs of one rank.`);
  return first.map((_, i) => {
    const lengths = shapes.map((s) => s[i]);
    return i === axis ? total(node, axis, lengths) : sameDim(node, lengths);
  });
}

function total(node: Node, axis: number, lengths: readonly Dim[]): Dim {
  const used: Shape = lengths.filter((d) => d !== 0);
  if (isStatic(used)) return used.reduce((a, d) => a + d, 0);
  return used.length === 1 ? used[0] : unknownDim(node, axis);
}

function concat(arrays: readonly NdArray[], node: Node): NdArray {
  const dims = joined(
    node,
    arrays.map((a) => a.dims),
  ) as number[];
  const axis = axisOf(node, dims.length, 0);
  const y = ndZeros(dims);
  const { outer, length, inner } = aroundAxis(dims, axis);
  let at = 0;
  for (const a of arrays) {
    const block = a.dims[axis] * inner;
    for (let o = 0; o < outer; o++) y.data.set(a.data.subarray(o * block, (o + 1) * block), o * length * inner + at);
    at += block;
  }
  return y;
}

/** Each input's part of dy: one Split when the lengths are known, otherwise slices at running offsets. */
function parts(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const shapes = ctx.node.inputs.map((_, i) => inputType(ctx, i).shape);
  const axis = axisOf(ctx.node, shapes[0].length, 0);
  const lengths: Shape = shapes.map((s) => s[axis]);
  const wanted = lengths.flatMap((_, i) => (ctx.needs(i) ? [i] : []));
  if (!isStatic(lengths)) return partsAtRunTime(ctx, dy, shapes, axis);
  if (wanted.length > 1) return split(ctx.b, dy, axis, lengths);
  const start = (i: number) => lengths.slice(0, i).reduce((a, d) => a + d, 0);
  return lengths.map((length, i) =>
    ctx.needs(i) ? slice(ctx.b, dy, { starts: [start(i)], ends: [start(i) + length], axes: [axis] }) : undefined,
  );
}

function partsAtRunTime(ctx: VjpContext, dy: ValueName, shapes: readonly Shape[], axis: number): readonly ValueName[] {
  const { b, node } = ctx;
  let start = b.ints([0]);
  return shapes.map((shape, i) => {
    const length = slice(b, shapeOf(b, node.inputs[i], shape), {
      starts: [axis],
      ends: [axis + 1],
      axes: [0],
    });
    const end = b.op("Add", [start, length]);
    const part = b.op("Slice", [dy, start, end, b.ints([axis])]);
    start = end;
    return part;
  });
}

const run: OpDef["run"] = (inputs, { node }) => [
  concat(
    inputs.map((_, i) => given(inputs, i)),
    node,
  ),
];

export const Concat: OpDef = {
  type: "Concat",
  infer: (ctx) => {
    const types = ctx.node.inputs.map((_, i) => inputType(ctx, i));
    return [
      {
        dtype: inputType(ctx, 0).dtype,
        shape: joined(
          ctx.node,
          types.map((t) => t.shape),
        ),
      },
    ];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : parts(ctx, ctx.grads[0])),
  run,
  propagate: symbolicMove({ run }, () => true),
};
