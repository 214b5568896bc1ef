/** @file Losses as graph nodes, one value [n] each, built from logits [n, classes]. All are ascended by an attack that wants
 *  the answer to change. Emitted for opset 11 and later. */
import { crossEntropy as crossEntropyOf } from "../autodiff/losses.js";
import { int } from "../graph/attributes.js";
import type { ValueName } from "../graph/graph.js";
import { reduce, reduceSum } from "../ops/support/emit.js";
import type { LossContext } from "./attack.js";

const overClasses = { axis: int(1) };

export const sum = (g: LossContext, values: readonly ValueName[]): ValueName =>
  values.reduce((a, v) => g.b.op("Add", [a, v]));

export const scale = (g: LossContext, x: ValueName, factor: number): ValueName =>
  g.b.op("Mul", [x, g.b.scalar(factor)]);

/** Element of the label's class: sum(z * onehot). */
export const ofLabel = (g: LossContext, z: ValueName): ValueName =>
  reduceSum(g.b, g.b.op("Mul", [z, g.oneHot()]), [1], false);

/** Largest element of the other classes. The label's own is pushed below any other. */
export const ofOthers = (g: LossContext, z: ValueName): ValueName =>
  reduce(g.b, "ReduceMax", g.b.op("Sub", [z, scale(g, g.oneHot(), 1e9)]), [1], false);

/** Cross-entropy -log softmax(z)[y]. */
export const crossEntropy = (g: LossContext, exit: number): ValueName =>
  crossEntropyOf(g.b, g.logits(exit), g.oneHot(), 1);

/** max over others of z_j, minus z_y (Carlini & Wagner 2017, f6); positive when the label has changed. */
export const margin = (g: LossContext, exit: number): ValueName =>
  g.b.op("Sub", [ofOthers(g, g.logits(exit)), ofLabel(g, g.logits(exit))]);

/** min(x, cap): no reward beyond the cap. */
export const capped = (g: LossContext, x: ValueName, cap: number): ValueName =>
  g.b.op("Clip", [x, "", g.b.scalar(cap)]);

/** -CE(uniform, softmax z) = mean over classes of log softmax (DeepSloth, Hong et al. 2021). Ascending it flattens the exit. */
export const flatness = (g: LossContext, exit: number): ValueName =>
  reduce(g.b, "ReduceMean", g.b.op("LogSoftmax", [g.logits(exit)], overClasses), [1], false);

export const softmax = (g: LossContext, exit: number): ValueName => g.b.op("Softmax", [g.logits(exit)], overClasses);

/** Squared L2 distance to the clean image in the model's normalised space. */
export function normalizedDistance(g: LossContext): ValueName {
  const difference = g.b.op("Sub", [g.image, g.clean()]);
  const std = g.b.constant({ dtype: "float32", dims: [1, g.std.length, 1, 1], data: Float32Array.from(g.std) }, "std");
  const scaled = g.b.op("Div", [difference, std]);
  return reduceSum(g.b, g.b.op("Mul", [scaled, scaled]), [1, 2, 3], false);
}
