/** @file Sinh: hyperbolic sine. Spec: ONNX Sinh-9. */
import { unary } from "../support/elementwise.js";

export const Sinh = unary("Sinh", Math.sinh, ({ b, x, dy }) => b.op("Mul", [dy, b.op("Cosh", [x])], {}, "grad"));
