/** @file Builders of element-by-element operators: one input, or two that broadcast. */
import type { DType } from "../../core/dtype.js";
import { broadcastShapes } from "../../core/shape.js";
import { showNode } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type NoGradient, type OpDef, type Vjp, type VjpContext } from "../../graph/op.js";
import { unbroadcast } from "./emit.js";
import { given, ndBroadcast, ndMap } from "./nd.js";

/** The values a rule works with: input, output, gradient of the output. */
export interface UnaryGradient {
  readonly b: GraphBuilder;
  readonly x: ValueName;
  readonly y: ValueName;
  readonly dy: ValueName;
  readonly ctx: VjpContext;
}

/** An operator y = f(x), shape and dtype kept; `gradient` returns dx. */
export const unary = (
  type: string,
  f: (x: number, node: Node) => number,
  gradient: ((g: UnaryGradient) => ValueName | undefined) | NoGradient,
): OpDef => ({
  type,
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: typeof gradient === "function" ? (ctx) => unaryVjp(ctx, gradient) : gradient,
  run: (inputs, { node }) => [ndMap(given(inputs, 0), (x) => f(x, node))],
});

function unaryVjp(
  ctx: VjpContext,
  gradient: (g: UnaryGradient) => ValueName | undefined,
): readonly (ValueName | undefined)[] {
  const dy = ctx.grads[0];
  if (dy === undefined) return [];
  return [gradient({ b: ctx.b, x: ctx.node.inputs[0], y: ctx.node.outputs[0], dy, ctx })];
}

export interface BinaryGradient {
  readonly b: GraphBuilder;
  readonly x: ValueName;
  readonly w: ValueName;
  readonly y: ValueName;
  readonly dy: ValueName;
  readonly ctx: VjpContext;
}

/** An operator y = f(x, w) with broadcasting. `gradient` gives the two gradients in the broadcast shape, each computed only
 *  when wanted; the sums over broadcast axes are added here. */
export const binary = (
  type: string,
  f: (x: number, w: number, node: Node) => number,
  gradient:
    | readonly [(g: BinaryGradient) => ValueName | undefined, (g: BinaryGradient) => ValueName | undefined]
    | NoGradient,
  output: (dtype: DType) => DType = (dtype) => dtype,
): OpDef => ({
  type,
  infer: (ctx) => [
    {
      dtype: output(inputType(ctx, 0).dtype),
      shape: broadcastShapes(inputType(ctx, 0).shape, inputType(ctx, 1).shape, showNode(ctx.node)),
    },
  ],
  vjp: "none" in gradient ? gradient : binaryVjp(gradient),
  run: (inputs, { node }) => [
    ndBroadcast([given(inputs, 0), given(inputs, 1)], (x, w) => f(x, w, node), showNode(node)),
  ],
});

const binaryVjp =
  (
    gradient: readonly [(g: BinaryGradient) => ValueName | undefined, (g: BinaryGradient) => ValueName | undefined],
  ): Vjp =>
  (ctx) => {
    const dy = ctx.grads[0];
    const out = ctx.outputs[0];
    if (dy === undefined || !out) return [];
    const values = {
      b: ctx.b,
      x: ctx.node.inputs[0],
      w: ctx.node.inputs[1],
      y: ctx.node.outputs[0],
      dy,
      ctx,
    };
    return gradient.map((rule, i) => {
      const grad = ctx.needs(i) ? rule(values) : undefined;
      return grad === undefined ? undefined : unbroadcast(ctx.b, grad, out.shape, inputType(ctx, i).shape);
    });
  };

/** A constant of the gradient's dtype. */
export const like = (g: { readonly b: GraphBuilder; readonly ctx: VjpContext }, value: number): ValueName =>
  g.b.scalar(value, inputType(g.ctx, 0).dtype);
