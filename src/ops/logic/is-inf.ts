/** @file IsInf: true where x is infinite; attributes choose the signs that count. Spec: ONNX IsInf-10. */
import { attribute } from "../../graph/attributes.js";
import { predicate } from "../support/predicate.js";

export const IsInf = predicate(
  "IsInf",
  (x, node) =>
    (x === Number.POSITIVE_INFINITY && attribute(node, "detect_positive", "int") !== 0) ||
    (x === Number.NEGATIVE_INFINITY && attribute(node, "detect_negative", "int") !== 0),
);
