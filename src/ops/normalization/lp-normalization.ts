/** @file LpNormalization: x divided by the norm (p 1 or 2) of its line along an axis. A line of zeros stays zero, and so does its
 *  gradient. Spec: ONNX LpNormalization-1. */
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { like } from "../support/elementwise.js";
import { reduce, reduceSum } from "../support/emit.js";
import { axisOf } from "../support/known.js";
import { linesOver } from "../support/lines.js";
import { given, ndZeros } from "../support/nd.js";
import { TINY } from "../support/scalar.js";

function orderOf(node: Node): 1 | 2 {
  const p = attribute(node, "p", "int") ?? 2;
  if (p === 1 || p === 2) return p;
  throw mismatch(node, `p is ${p}, expected 1 or 2. Export the model again.`, { p });
}

function normalize(node: Node, x: NdArray): NdArray {
  const [y, p] = [ndZeros(x.dims), orderOf(node)];
  const { starts, steps } = linesOver(x.dims, [axisOf(node, x.dims.length, -1)]);
  for (const start of starts) {
    const norm = steps.reduce((sum, step) => sum + Math.abs(x.data[start + step]) ** p, 0) ** (1 / p);
    for (const step of steps) y.data[start + step] = norm === 0 ? 0 : x.data[start + step] / norm;
  }
  return y;
}

/** (dy - slope * sum(dy * y)) / norm, where the slope of the norm is y (p 2) or the sign of x (p 1). */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const [x, y] = [node.inputs[0], node.outputs[0]];
  const axes = [axisOf(node, inputType(ctx, 0).shape.length, -1)];
  const p = orderOf(node);
  const norm = reduce(b, p === 1 ? "ReduceL1" : "ReduceL2", x, axes, true);
  const inverse = b.op("Div", [b.op("Sign", [norm]), b.op("Max", [norm, like({ b, ctx }, TINY)])]);
  const along = reduceSum(b, b.op("Mul", [dy, y]), axes, true);
  const slope = p === 1 ? b.op("Sign", [x]) : y;
  return b.op("Mul", [b.op("Sub", [dy, b.op("Mul", [slope, along])]), inverse], {}, "grad");
}

export const LpNormalization: OpDef = {
  type: "LpNormalization",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    orderOf(ctx.node);
    axisOf(ctx.node, shape.length, -1);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => [normalize(node, given(inputs, 0))],
};
