/** @file Losses as graph nodes, one value [n] each, built from logits [n, classes]. An attack
 *  ascends them to change the answer. The nodes are for opset 11 and later. */
import { crossEntropy as crossEntropyOf } from "../../autodiff/losses.js";
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { reduce, reduceSum } from "../../ops/support/emit.js";
import type { LossContext } from "./loss.js";

const overClasses = { axis: int(1) };

export const sum = (ctx: LossContext, values: readonly ValueName[]): ValueName =>
  values.reduce((a, v) => ctx.builder.op("Add", [a, v]));

export const scale = (ctx: LossContext, x: ValueName, factor: number): ValueName =>
  ctx.builder.op("Mul", [x, ctx.builder.scalar(factor)]);

/** The logit of one class: sum(z * onehot). */
export const ofLabel = (ctx: LossContext, z: ValueName, hot = ctx.oneHot()): ValueName =>
  reduceSum(ctx.builder, ctx.builder.op("Mul", [z, hot]), [1], false);

/** The largest logit of the other classes. A large constant lowers the class's own logit below all
 * others. */
export const ofOthers = (ctx: LossContext, z: ValueName, hot = ctx.oneHot()): ValueName =>
  reduce(ctx.builder, "ReduceMax", ctx.builder.op("Sub", [z, scale(ctx, hot, 1e9)]), [1], false);

/** Cross-entropy -log softmax(z)[y]. */
export const crossEntropy = (ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName =>
  crossEntropyOf(ctx.builder, ctx.logits(exit), hot, 1);

/** max over others of z_j, minus z_y (Carlini & Wagner 2017, f6). Positive when the label has
 * changed. */
export const margin = (ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName =>
  marginOf(ctx, ctx.logits(exit), hot);

/** The margin of logits. */
export const marginOf = (ctx: LossContext, z: ValueName, hot = ctx.oneHot()): ValueName =>
  ctx.builder.op("Sub", [ofOthers(ctx, z, hot), ofLabel(ctx, z, hot)]);

/** The logit of the class that the question aims at, minus the logit of the label. Positive when
 * the class beats the label. */
export const difference = (ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName =>
  ctx.builder.op("Sub", [ofLabel(ctx, ctx.logits(exit), ctx.targetHot()), ofLabel(ctx, ctx.logits(exit), hot)]);

/** The sum of all logits, each times the weight that the question gives it. */
export const weighted = (ctx: LossContext, exit: number): ValueName =>
  ofLabel(ctx, ctx.logits(exit), ctx.extra("weights", ctx.classes));

/** Difference between the largest and the smallest logit that the cross-entropy below takes. A
 * trained network of ten classes has about as much. */
const SPREAD = 10;

/** Cross-entropy of logits that are scaled to one spread. It is the same for logits times any
 * factor. Unlike the margin, it also pushes down the label's logit against all other classes. */
export function scaledCrossEntropy(ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName {
  const { builder: b } = ctx;
  const z = ctx.logits(exit);
  const most = (x: ValueName) => reduce(b, "ReduceMax", x, [1], true);
  const spread = b.op("Add", [most(z), most(b.op("Neg", [z]))]);
  const scaled = b.op("Div", [z, b.op("Max", [scale(ctx, spread, 1 / SPREAD), b.scalar(1e-12)])]);
  return crossEntropyOf(b, scaled, hot, 1);
}

/** min(x, cap), so that the loss does not grow beyond the cap. */
export const capped = (ctx: LossContext, x: ValueName, cap: number): ValueName =>
  ctx.builder.op("Clip", [x, "", ctx.builder.scalar(cap)]);

/** -CE(uniform, softmax z) = mean over classes of log softmax (DeepSloth, Hong et al. 2021). An
 * attack that ascends this loss makes the softmax of the exit uniform. */
export const flatness = (ctx: LossContext, exit: number): ValueName =>
  reduce(ctx.builder, "ReduceMean", ctx.builder.op("LogSoftmax", [ctx.logits(exit)], overClasses), [1], false);

export const softmax = (ctx: LossContext, exit: number): ValueName => softmaxOf(ctx, ctx.logits(exit));

/** The probabilities of logits. */
export const softmaxOf = (ctx: LossContext, z: ValueName): ValueName => ctx.builder.op("Softmax", [z], overClasses);

/** Squared L2 distance to the clean image in the model's normalised space. */
export function normalizedDistance(ctx: LossContext): ValueName {
  const difference = ctx.builder.op("Sub", [ctx.image, ctx.clean()]);
  const std = ctx.builder.constant(
    { dtype: "float32", dims: [1, ctx.std.length, 1, 1], data: Float32Array.from(ctx.std) },
    "std",
  );
  const scaled = ctx.builder.op("Div", [difference, std]);
  return reduceSum(ctx.builder, ctx.builder.op("Mul", [scaled, scaled]), [1, 2, 3], false);
}

/** Kullback-Leibler divergence of the exit's distribution on the clean image from that on this
 * image (TRADES, Zhang et al. 2019). It needs no label. */
export function divergence(ctx: LossContext, exit: number): ValueName {
  const { builder: b } = ctx;
  const clean = b.op("Softmax", [ctx.cleanLogits(exit)], overClasses);
  const entropy = crossEntropyOf(b, ctx.cleanLogits(exit), clean, 1);
  return b.op("Sub", [crossEntropyOf(b, ctx.logits(exit), clean, 1), entropy]);
}

/** Names of the numbers that {@link jitter} reads. */
export const JITTER = { scale: "jitter_scale", noise: "jitter_noise" } as const;

/** Mean squared difference between noisy probabilities and the class. The logits are divided by the
 * largest absolute value and multiplied by a scale first. Once the answer is wrong, the loss is
 * divided by the Linf distance (Jitter, Schwinn et al. 2021). */
export function jitter(ctx: LossContext, exit: number, hot = ctx.oneHot()): ValueName {
  const { builder: b } = ctx;
  const z = ctx.logits(exit);
  const largest = reduce(b, "ReduceMax", b.op("Abs", [z]), [1], true);
  const scaled = b.op("Div", [b.op("Mul", [z, ctx.extra(JITTER.scale, 1)]), b.op("Max", [largest, b.scalar(1e-12)])]);
  const noisy = b.op("Add", [b.op("Softmax", [scaled], overClasses), ctx.extra(JITTER.noise, ctx.classes)]);
  const difference = b.op("Sub", [noisy, hot]);
  const cost = reduce(b, "ReduceMean", b.op("Mul", [difference, difference]), [1], false);
  return b.op("Div", [cost, distanceOnceWrong(ctx, exit)]);
}

/** The Linf distance to the clean image where the answer is wrong, and 1 elsewhere. */
function distanceOnceWrong(ctx: LossContext, exit: number): ValueName {
  const { builder: b } = ctx;
  const difference = b.op("Abs", [b.op("Sub", [ctx.image, ctx.clean()])]);
  const distance = reduce(b, "ReduceMax", difference, [1, 2, 3], false);
  const positive = (x: ValueName) => b.op("Greater", [x, b.scalar(0)]);
  const counts = b.op("And", [positive(margin(ctx, exit)), positive(distance)]);
  return b.op("Where", [counts, distance, b.scalar(1)]);
}
