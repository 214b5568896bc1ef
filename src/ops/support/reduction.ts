/** @file Builder of the Reduce* operators. Axes are an attribute (before opset 13 or 18) or a
 *  constant input. Without axes, all axes are reduced. With noop_with_empty_axes and no axes,
 *  each element is its own line. Spec: ONNX ReduceSum-13, ReduceMean-18. */
import type { Dim, Shape } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { type InferContext, inputType, type NdArray, type OpDef, type Vjp, type VjpContext } from "../../graph/op.js";
import { reduceSum, shapeOf, unsqueeze } from "./emit.js";
import { axesIn, listed, requiredNumbers } from "./known.js";
import { axesFrom, linesOver } from "./lines.js";
import { cast } from "./mask.js";
import { given } from "./nd.js";

/** The values that a gradient rule uses. `dy` has the reduced axes with length 1. `keep` adds
 * these axes to other outputs. */
export interface ReductionGradient {
  readonly b: GraphBuilder;
  readonly x: ValueName;
  readonly y: ValueName;
  readonly dy: ValueName;
  readonly axes: readonly number[];
  readonly keep: (value: ValueName) => ValueName;
  readonly ctx: VjpContext;
}

/** An operator that maps each line of elements over the reduced axes to one number. `gradient`
 * returns dx in the shape of x, or in a shape that broadcasts to it. */
export const reduction = (
  type: string,
  fold: (line: Float64Array) => number,
  gradient: (g: ReductionGradient) => ValueName,
): OpDef => ({
  type,
  takes: ["T", "index"],
  infer: (ctx) => [
    { dtype: inputType(ctx, 0).dtype, shape: reducedShape(ctx.node, inputType(ctx, 0).shape, axesOf(ctx)) },
  ],
  vjp: reductionVjp(gradient),
  run: (inputs, { node }) => [foldLines(node, given(inputs, 0), inputs[1], fold)],
});

const keepsDims = (node: Node): boolean => attribute(node, "keepdims", "int") !== 0;

/** The reduced axes, normalized and in order. */
export const axesOf = (ctx: Pick<InferContext, "node" | "inputs">): readonly number[] =>
  normalizedAxes(ctx.node, inputType(ctx, 0).shape.length, ctx.inputs[1] && requiredNumbers(ctx, 1, "axes"));

function normalizedAxes(node: Node, rank: number, input: ArrayLike<number> | undefined): readonly number[] {
  const stated = listed(node, "axes", input) ?? [];
  if (stated.length === 0) return attribute(node, "noop_with_empty_axes", "int") === 1 ? [] : axesFrom(0, rank);
  return [...axesIn(node, stated, rank)].sort((a, b) => a - b);
}

const reducedShape = (node: Node, shape: Shape, axes: readonly number[]): readonly Dim[] =>
  shape.flatMap((d, axis) => (!axes.includes(axis) ? [d] : keepsDims(node) ? [1] : []));

function foldLines(
  node: Node,
  x: NdArray,
  axesInput: NdArray | undefined,
  fold: (line: Float64Array) => number,
): NdArray {
  const axes = normalizedAxes(node, x.dims.length, axesInput?.data);
  const { starts, steps } = linesOver(x.dims, axes);
  const data = Float64Array.from(starts, (start) => fold(Float64Array.from(steps, (step) => x.data[start + step])));
  return { dims: reducedShape(node, x.dims, axes) as number[], data };
}

const reductionVjp =
  (gradient: (g: ReductionGradient) => ValueName): Vjp =>
  (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const { b, node } = ctx;
    const axes = axesOf(ctx);
    const keep = (value: ValueName): ValueName => (keepsDims(node) ? value : unsqueeze(b, value, axes));
    return [gradient({ b, x: node.inputs[0], y: node.outputs[0], dy: keep(dy), axes, keep, ctx })];
  };

/** A gradient with reduced axes, repeated along them. */
export const spread = ({ b, x, axes, ctx }: ReductionGradient, grad: ValueName): ValueName =>
  axes.length === 0 ? grad : b.op("Expand", [grad, shapeOf(b, x, inputType(ctx, 0).shape)], {}, "grad");

/** The gradient of an extremum. Elements that equal the extremum share it evenly, as in
 * torch.amax. */
export function shareAmongEqual({ b, x, y, dy, axes, keep, ctx }: ReductionGradient): ValueName {
  const reached = cast(b, b.op("Equal", [x, keep(y)]), inputType(ctx, 0).dtype);
  return b.op("Mul", [reached, b.op("Div", [dy, reduceSum(b, reached, axes, true)])], {}, "grad");
}
