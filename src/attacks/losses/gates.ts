/** @file Losses of published attacks on gates, on gate probabilities g = sigmoid(score -
 *  threshold). A gate is open from g = 1/2 on. Attacks ascend them. Sources: Haque et al. 2020
 *  (ILFO); Pan et al. 2022 (GradAuto); Pan et al. 2023 (GradMDM); their code. */
import { scoredGates } from "../../dynamic/model/scores.js";
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { reduce, reduceSum, unsqueeze } from "../../ops/support/emit.js";
import type { Victim } from "../goals/victim.js";
import { allExits, exitCount } from "../goals/victim.js";
import type { Loss, LossContext } from "./loss.js";
import { scale } from "./nodes.js";

/** The probabilities of the gates that ask their scores, [n,gates]. */
function probabilities(ctx: LossContext, victim: Victim): ValueName {
  const columns = scoredGates(victim.model).map(([k]) => unsqueeze(ctx.builder, ctx.gate(k), [1]));
  return ctx.builder.op("Sigmoid", [ctx.builder.op("Concat", columns, { axis: int(1) })]);
}

const HALF = 0.5;

/** -sum_k relu(1/2 - g_k): opens closed gates. */
const closedSum = (ctx: LossContext, g: ValueName): ValueName => {
  const { builder: b } = ctx;
  return scale(ctx, reduceSum(b, b.op("Relu", [b.op("Sub", [b.scalar(HALF), g])]), [1], false), -1);
};

/** sum_k relu(g_k - 1/2): keeps open gates open. */
const openSum = (ctx: LossContext, g: ValueName): ValueName => {
  const { builder: b } = ctx;
  return reduceSum(b, b.op("Relu", [b.op("Sub", [g, b.scalar(HALF)])]), [1], false);
};

/** The p-norm over gates. The largest element is taken out first, because powers underflow. */
function powerNorm({ builder: b }: LossContext, x: ValueName, p: number): ValueName {
  const largest = b.op("Max", [reduce(b, "ReduceMax", x, [1], true), b.scalar(1e-12)]);
  const powers = reduceSum(b, b.op("Pow", [b.op("Div", [x, largest]), b.scalar(p)]), [1], true);
  const norm = b.op("Mul", [largest, b.op("Pow", [b.op("Max", [powers, b.scalar(1e-30)]), b.scalar(1 / p)])]);
  return reduce(b, "ReduceMax", norm, [1], false);
}

/** The p-norm of min(g, 1/2): the gradient is largest at the closed gates nearest the threshold. */
const closedPower = (ctx: LossContext, g: ValueName, p: number): ValueName =>
  powerNorm(ctx, ctx.builder.op("Clip", [g, "", ctx.builder.scalar(HALF)]), p);

/** Minus the p-norm of 1 - max(g, 1/2). */
const openPower = (ctx: LossContext, g: ValueName, p: number): ValueName => {
  const { builder: b } = ctx;
  return scale(ctx, powerNorm(ctx, b.op("Sub", [b.scalar(1), b.op("Max", [g, b.scalar(HALF)])]), p), -1);
};

const lossOf = (victim: Victim, key: string, build: (ctx: LossContext, g: ValueName) => ValueName): Loss => ({
  key,
  exits: allExits(victim),
  build: (ctx) => build(ctx, probabilities(ctx, victim)),
});

/** Opens closed gates: ILFO's and GradAuto's loss without weights. */
export const opening = (victim: Victim): Loss => lossOf(victim, "gates/closed", closedSum);

/** Keeps open gates open: GradAuto's second loss. */
export const keeping = (victim: Victim): Loss => lossOf(victim, "gates/open", openSum);

/** GradMDM's power loss. */
export const powerOpening = (victim: Victim, p: number): Loss =>
  lossOf(victim, `gates/closed-power/${p}`, (ctx, g) => closedPower(ctx, g, p));

/** GradMDM's power loss, with gradients that are adjusted at each gate against those of the loss
 * that keeps gates open. */
export const adjustedOpening = (victim: Victim, p: number, q: number): Loss => ({
  ...lossOf(victim, `gates/adjusted/${p}/${q}`, (ctx, g) => closedPower(ctx, g, p)),
  against: (ctx) => openPower(ctx, probabilities(ctx, victim), q),
});

/** Minus the squared distance of the final exit's logits to those of the clean image: the option of
 * GradAuto and GradMDM that keeps accuracy. */
export const keepingLogits = (victim: Victim): Loss => ({
  key: "gates/logits",
  exits: allExits(victim),
  build: (ctx) => {
    const [{ builder: b }, final] = [ctx, exitCount(victim) - 1];
    const away = b.op("Sub", [ctx.logits(final), ctx.cleanLogits(final)]);
    return scale(ctx, reduceSum(b, b.op("Mul", [away, away]), [1], false), -1);
  },
});
