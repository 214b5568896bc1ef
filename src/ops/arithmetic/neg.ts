/** @file Neg: -x. Spec: ONNX Neg-13. */
import { unary } from "../support/elementwise.js";

export const Neg = unary(
  "Neg",
  (x) => -x,
  ({ b, dy }) => b.op("Neg", [dy], {}, "grad"),
);
