/** @file Add: elementwise sum with broadcasting. Spec: ONNX Add-14. */
import type { OpDef } from "../../graph/op.js";
import { withConstant } from "../support/affine.js";
import { binary } from "../support/elementwise.js";

export const Add: OpDef = {
  ...binary("Add", (x, w) => x + w, [({ dy }) => dy, ({ dy }) => dy]),
  asAffine: withConstant((c) => [1, c]),
};
