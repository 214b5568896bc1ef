/** @file Mul: elementwise product with broadcasting. Spec: ONNX Mul-14. */
import { multiplyDims } from "../../core/shape.js";
import type { OpDef } from "../../graph/op.js";
import { withConstant } from "../support/affine.js";
import { binary } from "../support/elementwise.js";
import { symbolicBinary } from "../support/symbolic.js";

export const Mul: OpDef = {
  ...binary("Mul", (x, w) => x * w, [({ b, w, dy }) => b.op("Mul", [dy, w]), ({ b, x, dy }) => b.op("Mul", [dy, x])]),
  asAffine: withConstant((c) => [c, 0]),
  propagate: symbolicBinary((a, b) => multiplyDims([a, b])),
};
