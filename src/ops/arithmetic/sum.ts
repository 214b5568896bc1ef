/** @file Sum: the sum of its inputs, with broadcasting. Spec: ONNX Sum-13. */
import { variadic } from "../support/variadic.js";

export const Sum = variadic(
  "Sum",
  (...values) => values.reduce((a, b) => a + b),
  (_, dy) => () => dy,
);
