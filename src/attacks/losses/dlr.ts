/** @file The difference of logits ratio (DLR) and its targeted form. Both divide a gap between two
 *  logits by the spread of the largest ones. So neither logits times a factor nor logits plus a
 *  constant change them. Source: Croce & Hein 2020, "Reliable evaluation of adversarial
 *  robustness with an ensemble of diverse parameter-free attacks", equations 6 and 7. */
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum } from "../../ops/support/emit.js";
import type { LossContext } from "./loss.js";
import { difference, margin } from "./nodes.js";

/** Sum of the largest logits with these weights, from the largest on, [n]. */
function weightedLargest(ctx: LossContext, exit: number, weights: readonly number[]): ValueName {
  const { builder: b } = ctx;
  const [largest] = b.ops("TopK", [ctx.logits(exit), b.ints([weights.length])], 2, { axis: int(1) });
  const row = b.constant({ dtype: "float32", dims: [1, weights.length], data: Float32Array.from(weights) });
  return reduceSum(b, b.op("Mul", [largest, row]), [1], false);
}

const over = ({ builder: b }: LossContext, gap: ValueName, spread: ValueName): ValueName =>
  b.op("Div", [gap, b.op("Add", [spread, b.scalar(1e-12)])]);

/** (max over others of z_j, minus z_y) / (z_1 - z_3). z_1 is the largest logit, z_3 the third. */
export const dlr = (ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName =>
  over(ctx, margin(ctx, exit, hot), weightedLargest(ctx, exit, [1, 0, -1]));

/** (z_t - z_y) / (z_1 - (z_3 + z_4) / 2) for the class t that the question aims at. */
export const targetedDlr = (ctx: LossContext, exit: number): ValueName =>
  over(ctx, difference(ctx, exit), weightedLargest(ctx, exit, [1, 0, -0.5, -0.5]));
