/** @file Sub: elementwise difference with broadcasting. Spec: ONNX Sub-14. */
import type { OpDef } from "../../graph/op.js";
import { withConstant } from "../support/affine.js";
import { binary } from "../support/elementwise.js";
import { symbolicBinary } from "../support/symbolic.js";

export const Sub: OpDef = {
  ...binary("Sub", (x, w) => x - w, [({ dy }) => dy, ({ b, dy }) => b.op("Neg", [dy], {}, "grad")]),
  asAffine: withConstant((c) => [1, -c]),
  propagate: symbolicBinary((a, b) => {
    if (a === b) return 0;
    if (b === 0) return a;
    return typeof a === "number" && typeof b === "number" ? a - b : undefined;
  }),
};
