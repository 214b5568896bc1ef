/** @file IsNaN: true where x is not a number. Spec: ONNX IsNaN-13. */
import { predicate } from "../support/predicate.js";

export const IsNaN = predicate("IsNaN", Number.isNaN);
