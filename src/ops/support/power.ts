/** @file Norms of order p and their gradients: for y = (sum |x|^p)^(1/p), dy/dx = sign(x)
 *  |x|^(p-1) * y^(1-p). */

import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { mismatch, type VjpContext } from "../../graph/op.js";
import { like } from "./elementwise.js";

/** The order of an Lp pool.
 * @throws DynnError 'shape/mismatch' when it is less than 1 */
export function orderOf(node: Node): number {
  const p = attribute(node, "p", "int") ?? 2;
  if (p >= 1) return p;
  throw mismatch(node, `p is ${p}, expected at least 1. Export the model again.`, { p });
}

/** The norm of order p of some numbers. */
export const normOf = (values: Float64Array, p: number): number =>
  values.reduce((sum, v) => sum + Math.abs(v) ** p, 0) ** (1 / p);

/** sign(x) |x|^(p-1) */
export function innerSlope(ctx: VjpContext, x: ValueName, p: number): ValueName {
  const { b } = ctx;
  if (p === 2) return x;
  const sign = b.op("Sign", [x]);
  return p === 1 ? sign : b.op("Mul", [sign, power(ctx, b.op("Abs", [x]), p - 1)]);
}

/** dy * y^(1-p), and 0 where y is 0, as in PyTorch. */
export function outerSlope(ctx: VjpContext, y: ValueName, dy: ValueName, p: number): ValueName {
  const { b } = ctx;
  if (p === 1) return dy;
  const positive = b.op("Greater", [y, like({ b, ctx }, 0)]);
  return b.op("Where", [positive, b.op("Div", [dy, power(ctx, y, p - 1)]), like({ b, ctx }, 0)]);
}

const power = (ctx: VjpContext, x: ValueName, exponent: number): ValueName =>
  exponent === 1 ? x : ctx.b.op("Pow", [x, like({ b: ctx.b, ctx }, exponent)]);
