/** @file Not: logical negation. Spec: ONNX Not-1. */
import { predicate } from "../support/predicate.js";

export const Not = predicate("Not", (x) => x === 0);
