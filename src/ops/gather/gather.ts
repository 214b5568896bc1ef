/** @file Gather: picks along one axis; indices may count from the back. Spec: ONNX Gather-13. */
import { isStatic, multiplyDims, type Shape, sizeOf } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { adjointAlongAxis } from "../support/along-axis.js";
import { wrapIndex } from "../support/elements.js";
import { padZeros, reshapeTo, shapeOf, slice } from "../support/emit.js";
import { axisOf, numbers } from "../support/known.js";
import { cast } from "../support/mask.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

const gathered = <D>(data: readonly D[], indices: readonly D[], axis: number): D[] => [
  ...data.slice(0, axis),
  ...indices,
  ...data.slice(axis + 1),
];

/** Where a run of neighbours starts, when the indices are known and are one: then the gradient is a Pad. */
function runStart(node: Node, indices: readonly number[] | undefined, length: number): number | undefined {
  const at = indices?.map((i) => wrapIndex(node, i, length));
  return at && at.length > 0 && at.every((v, i) => v === at[0] + i) ? at[0] : undefined;
}

function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const [{ shape }, picks] = [inputType(ctx, 0), inputType(ctx, 1).shape];
  const axis = axisOf(node, shape.length, 0);
  const length = shape[axis];
  const start = typeof length === "number" ? runStart(node, numbers(ctx, 1), length) : undefined;
  if (start === undefined || typeof length !== "number" || !isStatic(picks)) return byOneHot(ctx, dy, shape, axis);
  const count = sizeOf(picks);
  const flat = shape.map((d, i) => (i === axis ? count : d));
  const pads = new Array<number>(2 * shape.length).fill(0);
  [pads[axis], pads[axis + shape.length]] = [start, length - start - count];
  return padZeros(
    b,
    picks.length === 1 ? dy : reshapeTo(b, dy, flat, count === 1 ? oneOf(ctx, shape, axis) : undefined),
    pads,
  );
}

/** A value that has the shape of the data but for one element along the axis (to read unknown lengths from). */
function oneOf(ctx: VjpContext, shape: Shape, axis: number): ValueName | undefined {
  if (shape.filter((d) => typeof d === "string").length <= 1) return undefined;
  return slice(ctx.b, ctx.node.inputs[0], { starts: [0], ends: [1], axes: [axis] });
}

/** The general case: the matrix of zeros and ones that says which pick took which element. */
function byOneHot(ctx: VjpContext, dy: ValueName, shape: Shape, axis: number): ValueName {
  const { b, node } = ctx;
  const { dtype } = inputType(ctx, 0);
  const picks = inputType(ctx, 1);
  const list = b.op("Reshape", [cast(b, node.inputs[1], "int64"), b.ints([-1])]);
  const depth =
    typeof shape[axis] === "number"
      ? b.scalar(shape[axis], "int64")
      : b.op("Gather", [shapeOf(b, node.inputs[0], shape), b.scalar(axis, "int64")]);
  const values = b.constant(fromNumbers(dtype, [2], [0, 1]));
  const matrix = b.op("OneHot", [list, depth, values], { axis: int(0) });
  return adjointAlongAxis(ctx, dy, shape, axis, { value: matrix, picks: multiplyDims(picks.shape) });
}

const run: OpDef["run"] = (inputs, { node }) => {
  const [x, indices] = [given(inputs, 0), given(inputs, 1)];
  const axis = axisOf(node, x.dims.length, 0);
  const { outer, length, inner } = aroundAxis(x.dims, axis);
  const y = ndZeros(gathered(x.dims, indices.dims, axis));
  for (let o = 0; o < outer; o++)
    indices.data.forEach((index, k) => {
      const from = (o * length + wrapIndex(node, index, length)) * inner;
      y.data.set(x.data.subarray(from, from + inner), (o * indices.data.length + k) * inner);
    });
  return [y];
};

export const Gather: OpDef = {
  type: "Gather",
  takes: ["T", "index"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: gathered(shape, inputType(ctx, 1).shape, axisOf(ctx.node, shape.length, 0)) }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run,
  propagate: symbolicMove({ run }),
};
