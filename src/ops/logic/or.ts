/** @file Or: true where an input is, with broadcasting. Spec: ONNX Or-7. */
import { relation } from "../support/predicate.js";

export const Or = relation("Or", (x, w) => x !== 0 || w !== 0);
