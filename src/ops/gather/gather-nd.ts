/** @file GatherND: slices of the data, each named by a tuple of indices; with batch_dims leading axes run along. The gradient counts
 *  the tuples as positions on one axis and adds up there. Spec: ONNX GatherND-13. */
import { type Dim, multiplyDims, type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { reduceSum, reshapeTo, zerosLike } from "../support/emit.js";
import { noGradient } from "../support/known.js";
import { given, ndZeros } from "../support/nd.js";
import { slicePositions, tupleLength, tupleLengths } from "../support/points.js";
import { scatterAdd } from "../support/scatter.js";
import { symbolicMove } from "../support/symbolic.js";

const batchAxesOf = (node: Node): number => attribute(node, "batch_dims", "int") ?? 0;

function gathered(node: Node, data: Shape, indices: Shape): Dim[] {
  const q = tupleLength(node, data, indices, batchAxesOf(node));
  return [...indices.slice(0, -1), ...data.slice(batchAxesOf(node) + q)];
}

/** The tuples as positions on one axis that joins the axes they count along, negative indices counted from the back. */
function linear({ b, node }: VjpContext, lengths: readonly number[], rank: number): ValueName {
  const wrapped = b.op("Mod", [node.inputs[1], b.ints(lengths)]);
  return reduceSum(b, b.op("Mul", [wrapped, b.ints(stridesOf(lengths))]), [rank - 1], false);
}

function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const [{ shape, dtype }, indices] = [inputType(ctx, 0), inputType(ctx, 1).shape];
  const batchAxes = batchAxesOf(node);
  const q = tupleLength(node, shape, indices, batchAxes);
  const lengths = tupleLengths(shape, batchAxes, q);
  const [batch, tuples] = [multiplyDims(shape.slice(0, batchAxes)), multiplyDims(indices.slice(batchAxes, -1))];
  const inner = multiplyDims(shape.slice(batchAxes + q));
  if (!lengths || typeof inner !== "number" || (typeof batch === "string" && typeof tuples === "string"))
    throw noGradient(node, "more than one length is unknown. Export the model with a fixed image size");
  const lines = [batch, sizeOf(lengths), inner];
  const positions = reshapeTo(b, linear(ctx, lengths, indices.length), [batch, tuples, 1]);
  const sum = scatterAdd(ctx, {
    data: reshapeTo(b, zerosLike(b, node.inputs[0], shape, dtype), lines),
    indices: inner === 1 ? positions : b.op("Expand", [positions, b.ints([1, 1, inner])]),
    updates: reshapeTo(b, dy, [batch, tuples, inner]),
    axis: 1,
    along: tuples,
  });
  return reshapeTo(b, sum, shape, node.inputs[0]);
}

const run: OpDef["run"] = (inputs, { node }) => {
  const [x, indices] = [given(inputs, 0), given(inputs, 1)];
  const y = ndZeros(gathered(node, x.dims, indices.dims) as number[]);
  const starts = slicePositions(node, x.dims, indices, batchAxesOf(node));
  const size = sizeOf(x.dims.slice(batchAxesOf(node) + (indices.dims.at(-1) as number)));
  starts.forEach((start, i) => {
    y.data.set(x.data.subarray(start, start + size), i * size);
  });
  return [y];
};

export const GatherND: OpDef = {
  type: "GatherND",
  takes: ["T", "index"],
  limit: "the gradient needs known lengths, but for one",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: gathered(ctx.node, shape, inputType(ctx, 1).shape) }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run,
  propagate: symbolicMove({ run }),
};
