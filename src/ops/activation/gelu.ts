/** @file Gelu: x times the normal distribution function, exact or by its tanh approximation.
 *  Spec: ONNX Gelu-20; Hendrycks & Gimpel 2016. */
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { like, type UnaryGradient, unary } from "../support/elementwise.js";
import { erf } from "../support/erf.js";

const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

const isTanh = (node: Node): boolean => attribute(node, "approximate", "string") === "tanh";

const gelu = (x: number, node: Node): number =>
  0.5 * x * (1 + (isTanh(node) ? Math.tanh(SCALE * (x + CUBIC * x ** 3)) : erf(x / Math.SQRT2)));

/** Phi(x) + x * phi(x) */
function exactSlope(g: UnaryGradient, square: ValueName): ValueName {
  const { b, x } = g;
  const phi = b.op("Mul", [b.op("Exp", [b.op("Mul", [square, like(g, -0.5)])]), like(g, 1 / Math.sqrt(2 * Math.PI))]);
  return b.op("Add", [half(g, b.op("Erf", [b.op("Mul", [x, like(g, Math.SQRT1_2)])])), b.op("Mul", [x, phi])]);
}

/** (1 + t)/2 + x/2 * (1 - t^2) * u', with t = tanh(u), u = SCALE * (x + CUBIC * x^3) */
function tanhSlope(g: UnaryGradient, square: ValueName): ValueName {
  const { b, x } = g;
  const linear = (slope: number): ValueName =>
    b.op("Add", [b.op("Mul", [square, like(g, SCALE * CUBIC * slope)]), like(g, SCALE)]);
  const t = b.op("Tanh", [b.op("Mul", [x, linear(1)])]);
  const flat = b.op("Sub", [like(g, 0.5), b.op("Mul", [b.op("Mul", [t, t]), like(g, 0.5)])]);
  return b.op("Add", [half(g, t), b.op("Mul", [b.op("Mul", [x, flat]), linear(3)])]);
}

/** (1 + value) / 2 */
const half = (g: UnaryGradient, value: ValueName): ValueName =>
  g.b.op("Add", [g.b.op("Mul", [value, like(g, 0.5)]), like(g, 0.5)]);

export const Gelu = unary("Gelu", gelu, (g) => {
  const square = g.b.op("Mul", [g.x, g.x]);
  const slope = isTanh(g.ctx.node) ? tanhSlope(g, square) : exactSlope(g, square);
  return g.b.op("Mul", [g.dy, slope], {}, "grad");
});
