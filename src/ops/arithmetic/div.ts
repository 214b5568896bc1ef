/** @file Div: elementwise quotient with broadcasting; integers drop the fraction. Spec: ONNX Div-14. */
import { isFloat } from "../../core/dtype.js";
import { divideDims } from "../../core/shape.js";
import type { OpDef } from "../../graph/op.js";
import { withConstant } from "../support/affine.js";
import { checkDivision } from "../support/division.js";
import { binary } from "../support/elementwise.js";
import { ndMap } from "../support/nd.js";
import { symbolicBinary } from "../support/symbolic.js";

const quotient = binary("Div", (x, w) => x / w, [
  ({ b, w, dy }) => b.op("Div", [dy, w], {}, "grad"),
  // dw = -dy * y / w
  ({ b, w, y, dy }) => b.op("Neg", [b.op("Mul", [dy, b.op("Div", [y, w])])], {}, "grad"),
]);

export const Div: OpDef = {
  ...quotient,
  infer: (ctx) => {
    checkDivision(ctx);
    return quotient.infer(ctx);
  },
  run: (inputs, ctx) => {
    const exact = quotient.run(inputs, ctx);
    return isFloat(ctx.inputTypes[0] ?? "float32") ? exact : exact.map((y) => ndMap(y, Math.trunc));
  },
  asAffine: withConstant((c) => [1 / c, 0]),
  propagate: symbolicBinary((a, b) => {
    if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : Math.trunc(a / b);
    return divideDims(a, b);
  }),
};
