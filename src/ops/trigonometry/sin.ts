/** @file Sin: sine of an angle in radians. Spec: ONNX Sin-7. */
import { unary } from "../support/elementwise.js";

export const Sin = unary("Sin", Math.sin, ({ b, x, dy }) => b.op("Mul", [dy, b.op("Cos", [x])], {}, "grad"));
