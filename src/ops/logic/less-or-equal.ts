/** @file LessOrEqual: x <= w, with broadcasting. Spec: ONNX LessOrEqual-16. */
import { relation } from "../support/predicate.js";

export const LessOrEqual = relation("LessOrEqual", (x, w) => x <= w);
