/** @file Identity: the input, unchanged. Spec: ONNX Identity-16. */
import type { OpDef } from "../../graph/op.js";
import { unary } from "../support/elementwise.js";
import { symbolicMove } from "../support/symbolic.js";

const copy = unary(
  "Identity",
  (x) => x,
  ({ dy }) => dy,
);

export const Identity: OpDef = { ...copy, propagate: symbolicMove(copy), isIdentity: () => true };
