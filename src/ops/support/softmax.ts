/** @file The axes of a distribution in Softmax and LogSoftmax, and the walk over them. From
 *  opset 13 on a distribution runs along one axis, by default the last. Before, it runs along
 *  all axes from `axis` on, by default from axis 1. The specification calls this "coerced to
 *  2-D". Spec: ONNX Softmax-11, Softmax-13. */
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { axisOf } from "./known.js";
import { axesFrom, linesOver } from "./lines.js";
import { given, ndZeros } from "./nd.js";
import { logSumExp } from "./scalar.js";

export function distributionAxes(node: Node, opset: number, rank: number): readonly number[] {
  const axis = axisOf(node, rank, opset >= 13 ? -1 : 1);
  return opset >= 13 ? [axis] : axesFrom(axis, rank);
}

/** An operator that maps each x of a distribution to f(x - log sum exp). */
export const distribution = (
  type: string,
  f: (logProbability: number) => number,
  gradient: (ctx: VjpContext, dy: ValueName, axes: readonly number[]) => ValueName,
): OpDef => ({
  type,
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    distributionAxes(ctx.node, ctx.opset, shape.length);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    return [gradient(ctx, dy, distributionAxes(ctx.node, ctx.opset, inputType(ctx, 0).shape.length))];
  },
  run: (inputs, { node, opset }) => {
    const x = given(inputs, 0);
    return [mapLines(x, distributionAxes(node, opset, x.dims.length), f)];
  },
});

function mapLines(x: NdArray, axes: readonly number[], f: (logProbability: number) => number): NdArray {
  const { starts, steps } = linesOver(x.dims, axes);
  const y = ndZeros(x.dims);
  for (const start of starts) {
    const norm = logSumExp(Float64Array.from(steps, (step) => x.data[start + step]));
    for (const step of steps) y.data[start + step] = f(x.data[start + step] - norm);
  }
  return y;
}
