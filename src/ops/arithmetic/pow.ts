/** @file Pow: x to the power of w, with broadcasting; the result has the type of x. Where the exponent is 0 the
 *  gradient of x is 0, and where x is 0 that of w is 0, as in PyTorch. Spec: ONNX Pow-15. */
import { isFloat } from "../../core/dtype.js";
import { toNumbers } from "../../core/tensor.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { type BinaryGradient, binary, like } from "../support/elementwise.js";
import { cast } from "../support/mask.js";

/** dx = dy * w * x^(w-1) */
function baseGradient(g: BinaryGradient): ValueName {
  const { b, dy } = g;
  const exponent = g.ctx.constant(1);
  const only = exponent?.data.length === 1 ? toNumbers(exponent)[0] : undefined;
  const slope = only === undefined || only === 0 ? anySlope(g) : constantSlope(g, only);
  return b.op("Mul", [dy, slope], {}, "grad");
}

function constantSlope(g: BinaryGradient, exponent: number): ValueName {
  const { b, x } = g;
  // Squares are by far the most common powers, and a product is much faster than Pow.
  const power = exponent === 2 ? x : b.op("Pow", [x, like(g, exponent - 1)]);
  return b.op("Mul", [power, like(g, exponent)]);
}

function anySlope(g: BinaryGradient): ValueName {
  const { b, x } = g;
  const w = isFloat(inputType(g.ctx, 1).dtype) ? g.w : cast(b, g.w, inputType(g.ctx, 0).dtype);
  const slope = b.op("Mul", [w, b.op("Pow", [x, b.op("Sub", [w, like(g, 1)])])]);
  return b.op("Where", [b.op("Equal", [w, like(g, 0)]), like(g, 0), slope]);
}

/** dw = dy * y * log(x) */
function exponentGradient(g: BinaryGradient): ValueName {
  const { b, x, y, dy } = g;
  const slope = b.op("Mul", [y, b.op("Log", [x])]);
  return b.op("Mul", [dy, b.op("Where", [b.op("Equal", [x, like(g, 0)]), like(g, 0), slope])], {}, "grad");
}

export const Pow: OpDef = {
  ...binary("Pow", (x, w) => x ** w, [baseGradient, exponentGradient]),
  takes: ["T", "any"],
};
