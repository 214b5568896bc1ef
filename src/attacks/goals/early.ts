/** @file The early attack. The full network keeps its label y, and the early exits change their
 *  labels. y is the full network's own label of the clean image. The full network is the final
 *  exit, with every gate open. With gates, the routed network changes its label. A server that runs
 *  the full network sees no change. A device that saves work answers wrongly. Source:
 *  docs/method.md section 5. `early:published` is the loss of the study's published code.
 *  `early:margin` works on margins under the deployed policy. */
import { routeOne } from "../../dynamic/route/route.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum } from "../../ops/support/emit.js";
import type { Loss, LossContext } from "../losses/loss.js";
import {
  capped,
  margin,
  marginOf,
  normalizedDistance,
  ofLabel,
  scale,
  softmax,
  softmaxOf,
  sum,
} from "../losses/nodes.js";
import { amount, type ParameterContext } from "../parameters.js";
import { cleanOf, type Sample, type Seen } from "../sample.js";
import { type Goal, goal } from "./goal.js";
import { allExits, exitCount, fullLabel, hasFull, labelAt, movableUnits, type Victim } from "./victim.js";

/** The full network keeps its label, and every early label differs from it. With gates, so does the
 * label of the final exit. */
export const earlyLabelsChanged =
  (victim: Victim) =>
  (sample: Sample, seen: Seen): boolean => {
    const y = fullLabel(victim, cleanOf(sample));
    return fullLabel(victim, seen) === y && attackedExits(victim).every((k) => labelAt(seen.logits, k) !== y);
  };

/** The full network keeps its label, and an early exit fires with another label. With gates, the
 * routed answer is another label. */
export const earlyFires =
  (victim: Victim) =>
  (sample: Sample, seen: Seen): boolean => {
    const y = fullLabel(victim, cleanOf(sample));
    const routed = routeOne(seen.logits as readonly Float32Array[], victim.policy, exitCount(victim));
    return (
      fullLabel(victim, seen) === y &&
      routed !== undefined &&
      (routed.stop < exitCount(victim) - 1 || hasFull(victim)) &&
      routed.label !== y
    );
  };

/** The exits whose labels the attack changes: the early ones, and with gates also the final one,
 * because the full network then is another one.
 * @throws DynnError 'attack/unsupported' when the network has neither */
export function attackedExits(victim: Victim, goal = "early"): readonly number[] {
  const { early, gates } = movableUnits(victim, goal);
  return gates.length > 0 ? allExits(victim) : early;
}

/** The logits of the full network. */
const fullOf = (ctx: LossContext, victim: Victim): ValueName =>
  hasFull(victim) ? ctx.full() : ctx.logits(exitCount(victim) - 1);

/** What the losses of both forms have in common. */
const shared = (victim: Victim) => ({
  answer: "routed" as const,
  exits: allExits(victim),
  label: (sample: Sample) => fullLabel(victim, cleanOf(sample)),
  starts: () => [0],
});

/** A loss on all exits and on the full network. */
const lossOf = (victim: Victim, key: string, build: Loss["build"]): Loss => ({
  ...{ key, exits: allExits(victim), build },
  ...(hasFull(victim) ? { full: true } : {}),
});

/** Minus `50 * ( -alpha * sum_j relu(p_full[y] - p_full[j]) + sum_k p_k[y] ) + ||x' - x||^2`,
 * with p = softmax. */
function publishedLoss(ctx: LossContext, victim: Victim, attacked: readonly number[], alpha: number): ValueName {
  const p = softmaxOf(ctx, fullOf(ctx, victim));
  const gap = ctx.builder.op("Relu", [
    ctx.builder.op("Sub", [reduceSum(ctx.builder, ctx.builder.op("Mul", [p, ctx.oneHot()]), [1], true), p]),
  ]);
  const keep = scale(ctx, reduceSum(ctx.builder, gap, [1], false), -alpha);
  const change = sum(
    ctx,
    attacked.map((k) => ofLabel(ctx, softmax(ctx, k))),
  );
  return ctx.builder.op("Neg", [
    ctx.builder.op("Add", [scale(ctx, ctx.builder.op("Add", [keep, change]), 50), normalizedDistance(ctx)]),
  ]);
}

function makePublished(victim: Victim, options: { readonly alpha: number }): Goal {
  const attacked = attackedExits(victim, "early:published");
  return {
    ...shared(victim),
    name: "early:published",
    losses: [
      lossOf(victim, `early:published/${options.alpha}`, (ctx) => publishedLoss(ctx, victim, attacked, options.alpha)),
    ],
    succeeded: earlyLabelsChanged(victim),
    everySampleEligible: true,
  };
}

/** Raises each margin to change up to `kappa` and holds that of the full network below `-keep`. */
function marginLoss(
  ctx: LossContext,
  victim: Victim,
  attacked: readonly number[],
  options: EarlyMarginOptions,
): ValueName {
  const change = sum(
    ctx,
    attacked.map((k) => capped(ctx, margin(ctx, k), options.kappa)),
  );
  const held = capped(ctx, ctx.builder.op("Neg", [marginOf(ctx, fullOf(ctx, victim))]), options.keep);
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
  const attacked = attackedExits(victim, "early:margin");
  const key = `early:margin/${options.kappa}/${options.keep}/${options.weight}`;
  return {
    ...shared(victim),
    name: "early:margin",
    losses: [lossOf(victim, key, (ctx) => marginLoss(ctx, victim, attacked, options))],
    succeeded: earlyFires(victim),
  };
}

export const earlyPublished = goal({
  about:
    "the published loss smaller: keep the full network's label, change every early one, and with gates the final one, stay near",
  success: "the full network's label is kept, every early label is changed; with gates, the final label too",
  source: "docs/method.md, section 5",
  needs: "early exits or gates",
  readsFull: true,
  takesLoss: false,
  targeted: false,
  parameters: { alpha: amount(0.1, "weight of keeping the label of the full network") },
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
  keep: amount(1, "margin at which the label of the full network is safe"),
  weight: amount(
    ({ victim }) => Math.max(1, exitCount(victim) - (hasFull(victim) ? 0 : 1)),
    "weight of the full network against the sum of the others",
    {
      usual: "the number of early exits, plus 1 with gates",
    },
  ),
};

export const earlyMargin = goal({
  about:
    "the early exits' margins larger, up to `kappa`, and with gates the final one's, while the full network keeps its label by `keep`",
  success:
    "an early exit fires with another label, the full network keeps its own; with gates, the routed answer is another label",
  source: "dynn; docs/method.md, section 5",
  needs: "early exits or gates",
  readsFull: true,
  takesLoss: false,
  targeted: false,
  parameters: MARGIN_PARAMETERS,
  make: ({ victim }, values) => makeMargin(victim, values),
});
