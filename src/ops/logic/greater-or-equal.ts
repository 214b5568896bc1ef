/** @file GreaterOrEqual: x >= w, with broadcasting. Spec: ONNX GreaterOrEqual-16. */
import { relation } from "../support/predicate.js";

export const GreaterOrEqual = relation("GreaterOrEqual", (x, w) => x >= w);
