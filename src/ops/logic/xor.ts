/** @file Xor: true where exactly one input is, with broadcasting. Spec: ONNX Xor-7. */
import { relation } from "../support/predicate.js";

export const Xor = relation("Xor", (x, w) => (x !== 0) !== (w !== 0));
