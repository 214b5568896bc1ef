/** @file Softplus: log(1 + exp(x)), without overflow for large x. Spec: ONNX Softplus-1. */
import { unary } from "../support/elementwise.js";
import { softplus } from "../support/scalar.js";

export const Softplus = unary("Softplus", softplus, ({ b, x, dy }) =>
  b.op("Mul", [dy, b.op("Sigmoid", [x])], {}, "grad"),
);
