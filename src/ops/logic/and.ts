/** @file And: true where both inputs are, with broadcasting. Spec: ONNX And-7. */
import { relation } from "../support/predicate.js";

export const And = relation("And", (x, w) => x !== 0 && w !== 0);
