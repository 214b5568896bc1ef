/** @file Equal: x = w, with broadcasting. A named dimension is never equal to a negative number. Spec: ONNX Equal-13. */
import type { Dim } from "../../core/shape.js";
import type { OpDef } from "../../graph/op.js";
import { relation } from "../support/predicate.js";
import { symbolicBinary } from "../support/symbolic.js";

const sameDim = (a: Dim, b: Dim): number | undefined => {
  if (a === b) return 1;
  const known = typeof a === "number" && typeof b === "number";
  return known || Number(a) < 0 || Number(b) < 0 ? 0 : undefined;
};

export const Equal: OpDef = { ...relation("Equal", (x, w) => x === w), propagate: symbolicBinary(sameDim) };
