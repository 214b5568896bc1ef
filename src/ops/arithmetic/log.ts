/** @file Log: natural logarithm. Spec: ONNX Log-13. */
import { unary } from "../support/elementwise.js";

// dx = dy / x
export const Log = unary("Log", Math.log, ({ b, x, dy }) => b.op("Div", [dy, x], {}, "grad"));
