/** @file Exp: e to the power of x. Spec: ONNX Exp-13. */
import { unary } from "../support/elementwise.js";

// dx = dy * y
export const Exp = unary("Exp", Math.exp, ({ b, y, dy }) => b.op("Mul", [dy, y], {}, "grad"));
