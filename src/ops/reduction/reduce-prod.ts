/** @file ReduceProd: product over axes. The gradient is exact where elements are zero too. Spec: ONNX ReduceProd-18. */
import { multiplyDims } from "../../core/shape.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { like } from "../support/elementwise.js";
import { reduce, reduceSum } from "../support/emit.js";
import { cast } from "../support/mask.js";
import { axesOf, type ReductionGradient, reduction } from "../support/reduction.js";
import { knownElements } from "../support/symbolic.js";

/** The product of all other elements of the line. With no zero in it: product / x. With one zero: the product of the
 *  rest, at that zero. With more: 0. */
function gradient(g: ReductionGradient): ValueName {
  const { b, x, dy, axes, ctx } = g;
  const { dtype } = inputType(ctx, 0);
  const isZero = b.op("Equal", [x, like(g, 0)]);
  const zeros = cast(b, isZero, dtype);
  const rest = b.op("Where", [isZero, like(g, 1), x]);
  const product = axes.length === 0 ? rest : reduce(b, "ReduceProd", rest, axes, true);
  const count = reduceSum(b, zeros, axes, true);
  const whole = cast(b, b.op("Equal", [count, like(g, 0)]), dtype);
  const single = cast(b, b.op("Equal", [count, like(g, 1)]), dtype);
  const chosen = b.op("Add", [b.op("Div", [whole, rest]), b.op("Mul", [single, zeros])]);
  return b.op("Mul", [b.op("Mul", [dy, product]), chosen], {}, "grad");
}

export const ReduceProd: OpDef = {
  ...reduction("ReduceProd", (line) => line.reduce((a, b) => a * b, 1), gradient),
  propagate: (ctx, output) => {
    const elements = knownElements(ctx, 0);
    return elements && output.shape.every((d) => d === 1) && axesOf(ctx).length > 0
      ? [multiplyDims(elements)]
      : undefined;
  },
};
