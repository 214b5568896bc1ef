/** @file The early attack. The final exit keeps its label y, and the early exits change their
 *  labels. y is the model's own label of the clean image. A server that runs the full network sees
 *  no change. A device that stops at an early exit answers wrongly. Source: docs/method.md section
 *  5. `early:published` is the loss of the study's published code. `early:margin` works on margins
 *  under the deployed policy. */
import { argmax } from "../../dynamic/route/policy.js";
import { routeOne } from "../../dynamic/route/route.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum } from "../../ops/support/emit.js";
import type { LossContext } from "../losses/loss.js";
import { capped, margin, normalizedDistance, ofLabel, scale, softmax, sum } from "../losses/nodes.js";
import { amount, type ParameterContext } from "../parameters.js";
import type { ExitLogits, Sample } from "../sample.js";
import { type Goal, goal } from "./goal.js";
import { allExits, earlyExits, exitCount, finalLabel, labelAt, type Victim } from "./victim.js";

/** The final exit keeps its label and every early label differs from it. */
export const earlyLabelsChanged =
  (victim: Victim) =>
  (sample: Sample, logits: ExitLogits): boolean => {
    const y = finalLabel(sample);
    const last = exitCount(victim) - 1;
    return labelAt(logits, last) === y && logits.slice(0, last).every((row) => argmax(row as Float32Array) !== y);
  };

/** The final exit keeps its label, and an early exit fires with another label. */
export const earlyFires =
  (victim: Victim) =>
  (sample: Sample, logits: ExitLogits): boolean => {
    const y = finalLabel(sample);
    const routed = routeOne(logits as readonly Float32Array[], victim.policy, exitCount(victim));
    return (
      labelAt(logits, exitCount(victim) - 1) === y &&
      routed !== undefined &&
      routed.stop < exitCount(victim) - 1 &&
      routed.label !== y
    );
  };

/** Minus `50 * ( -alpha * sum_j relu(p_final[y] - p_final[j]) + sum_k p_k[y] ) + ||x' - x||^2`,
 * with p = softmax. */
function publishedLoss(ctx: LossContext, victim: Victim, early: readonly number[], alpha: number): ValueName {
  const p = softmax(ctx, exitCount(victim) - 1);
  const gap = ctx.builder.op("Relu", [
    ctx.builder.op("Sub", [reduceSum(ctx.builder, ctx.builder.op("Mul", [p, ctx.oneHot()]), [1], true), p]),
  ]);
  const keep = scale(ctx, reduceSum(ctx.builder, gap, [1], false), -alpha);
  const change = sum(
    ctx,
    early.map((k) => ofLabel(ctx, softmax(ctx, k))),
  );
  return ctx.builder.op("Neg", [
    ctx.builder.op("Add", [scale(ctx, ctx.builder.op("Add", [keep, change]), 50), normalizedDistance(ctx)]),
  ]);
}

/** The early attack as published. Success depends on labels alone. Every sample counts, even a
 * sample whose exits disagree on the clean image. */
function makePublished(victim: Victim, options: { readonly alpha: number }): Goal {
  const early = earlyExits(victim, "early:published");
  return {
    name: "early:published",
    losses: [
      {
        key: `early:published/${options.alpha}`,
        exits: allExits(victim),
        build: (ctx) => publishedLoss(ctx, victim, early, options.alpha),
      },
    ],
    answer: "routed",
    exits: allExits(victim),
    label: finalLabel,
    starts: () => [0],
    succeeded: earlyLabelsChanged(victim),
    everySampleEligible: true,
  };
}

/** Raises each early margin up to `kappa` and holds the final margin below `-keep`. */
function marginLoss(
  ctx: LossContext,
  victim: Victim,
  early: readonly number[],
  options: EarlyMarginOptions,
): ValueName {
  const change = sum(
    ctx,
    early.map((k) => capped(ctx, margin(ctx, k), options.kappa)),
  );
  const held = capped(ctx, ctx.builder.op("Neg", [margin(ctx, exitCount(victim) - 1)]), options.keep);
  return ctx.builder.op("Add", [change, scale(ctx, held, options.weight)]);
}

export interface EarlyMarginOptions {
  /** Margin at which an early exit is wrong and confident enough to fire. */
  readonly kappa: number;
  /** Margin at which the final exit's label is safe. */
  readonly keep: number;
  /** Weight of the final exit's margin against the sum of the early ones. */
  readonly weight: number;
}

function makeMargin(victim: Victim, options: EarlyMarginOptions): Goal {
  const early = earlyExits(victim, "early:margin");
  return {
    name: "early:margin",
    losses: [
      {
        key: `early:margin/${options.kappa}/${options.keep}/${options.weight}`,
        exits: allExits(victim),
        build: (ctx) => marginLoss(ctx, victim, early, options),
      },
    ],
    answer: "routed",
    exits: allExits(victim),
    label: finalLabel,
    starts: () => [0],
    succeeded: earlyFires(victim),
  };
}

export const earlyPublished = goal({
  about: "the published loss smaller: keep the final label, change every early one, stay near",
  success: "the final label is kept, every early label is changed",
  source: "docs/method.md, section 5",
  needsEarlyExits: true,
  takesLoss: false,
  targeted: false,
  parameters: { alpha: amount(0.1, "weight of keeping the final label") },
  make: ({ victim }, values) => makePublished(victim, values),
});

/** A gap between two logits, plus 1. With two likely classes, the larger probability passes the
 * threshold at this gap. */
export function firingGap({ victim: { policy } }: ParameterContext): number {
  const tau = policy.rule === "max-softmax" ? Math.max(...policy.thresholds, 0.5) : 0.9;
  return Math.log(Math.min(tau, 0.999) / (1 - Math.min(tau, 0.999))) + 1;
}

const MARGIN_PARAMETERS = {
  kappa: amount(firingGap, "margin at which an early exit is wrong and confident enough to fire", {
    usual: "the logit gap at which two classes reach the largest threshold, plus 1",
  }),
  keep: amount(1, "margin at which the final label is safe"),
  weight: amount(
    ({ victim }) => Math.max(1, exitCount(victim) - 1),
    "weight of the final exit against the sum of the early ones",
    {
      usual: "the number of early exits",
    },
  ),
};

export const earlyMargin = goal({
  about: "the early exits' margins larger, up to `kappa`, while the final exit keeps its label by `keep`",
  success: "an early exit fires with another label, the final exit keeps its own",
  source: "dynn; docs/method.md, section 5",
  needsEarlyExits: true,
  takesLoss: false,
  targeted: false,
  parameters: MARGIN_PARAMETERS,
  make: ({ victim }, values) => makeMargin(victim, values),
});
