/** @file Less: x < w, with broadcasting. Spec: ONNX Less-13. */
import { relation } from "../support/predicate.js";

export const Less = relation("Less", (x, w) => x < w);
