/** @file Erf: the error function. Spec: ONNX Erf-13. */
import { like, unary } from "../support/elementwise.js";
import { erf } from "../support/erf.js";

// dx = dy * 2/sqrt(pi) * exp(-x^2)
export const Erf = unary("Erf", erf, (g) => {
  const bell = g.b.op("Exp", [g.b.op("Neg", [g.b.op("Mul", [g.x, g.x])])]);
  return g.b.op("Mul", [g.dy, g.b.op("Mul", [bell, like(g, 2 / Math.sqrt(Math.PI))])], {}, "grad");
});
