/** @file Cosh: hyperbolic cosine. Spec: ONNX Cosh-9. */
import { unary } from "../support/elementwise.js";

export const Cosh = unary("Cosh", Math.cosh, ({ b, x, dy }) => b.op("Mul", [dy, b.op("Sinh", [x])], {}, "grad"));
