/** @file The early attack: the final exit keeps its label y (the model's own on the clean image), the early exits change theirs.
 *  A server that audits with the full network sees nothing; a device that leaves early answers wrongly. Source: method.md
 *  section 5. `paper` is the loss of the study's published code; `proper` works on margins under the deployed policy. */
import { argmax } from "../../dynamic/route/policy.js";
import { routeOne } from "../../dynamic/route/route.js";
import type { ValueName } from "../../graph/graph.js";
import { reduceSum } from "../../ops/support/emit.js";
import type { ExitLogits, LossContext, Objective, Sample } from "../attack.js";
import { capped, margin, normalizedDistance, ofLabel, scale, softmax, sum } from "../losses.js";
import { allExits, earlyExits, exitCount, finalLabel, labelAt, type Target } from "./target.js";

/** The final exit keeps its label and every early label differs from it. */
export const earlyLabelsChanged =
  (target: Target) =>
  (sample: Sample, logits: ExitLogits): boolean => {
    const y = finalLabel(sample);
    const last = exitCount(target) - 1;
    return labelAt(logits, last) === y && logits.slice(0, last).every((row) => argmax(row as Float32Array) !== y);
  };

/** The final exit keeps its label and an early exit fires with another one. */
export const earlyFires =
  (target: Target) =>
  (sample: Sample, logits: ExitLogits): boolean => {
    const y = finalLabel(sample);
    const routed = routeOne(logits as readonly Float32Array[], target.policy, exitCount(target));
    return (
      labelAt(logits, exitCount(target) - 1) === y &&
      routed !== undefined &&
      routed.stop < exitCount(target) - 1 &&
      routed.label !== y
    );
  };

/** Minus `50 * ( -alpha * sum_j relu(p_final[y] - p_final[j]) + sum_k p_k[y] ) + ||x' - x||^2`, p = softmax. */
function paperLoss(g: LossContext, target: Target, early: readonly number[], alpha: number): ValueName {
  const p = softmax(g, exitCount(target) - 1);
  const gap = g.b.op("Relu", [g.b.op("Sub", [reduceSum(g.b, g.b.op("Mul", [p, g.oneHot()]), [1], true), p])]);
  const keep = scale(g, reduceSum(g.b, gap, [1], false), -alpha);
  const change = sum(
    g,
    early.map((k) => ofLabel(g, softmax(g, k))),
  );
  return g.b.op("Neg", [g.b.op("Add", [scale(g, g.b.op("Add", [keep, change]), 50), normalizedDistance(g)])]);
}

/** As published: success is about labels alone, and every sample counts, those too whose exits disagree already. */
export function earlyPaper(target: Target, options: { readonly alpha: number }): Objective {
  const early = earlyExits(target, "early:paper");
  return {
    name: "early:paper",
    losses: [
      {
        key: `early:paper/${options.alpha}`,
        exits: allExits(target),
        build: (g) => paperLoss(g, target, early, options.alpha),
      },
    ],
    answer: "routed",
    label: finalLabel,
    starts: () => [0],
    succeeded: earlyLabelsChanged(target),
    attackAll: true,
  };
}

/** Each early margin is pushed up to `kappa`, the final one held below `-keep`. */
function properLoss(g: LossContext, target: Target, early: readonly number[], options: ProperOptions): ValueName {
  const change = sum(
    g,
    early.map((k) => capped(g, margin(g, k), options.kappa)),
  );
  const held = capped(g, g.b.op("Neg", [margin(g, exitCount(target) - 1)]), options.keep);
  return g.b.op("Add", [change, scale(g, held, options.weight)]);
}

export interface ProperOptions {
  /** Margin at which an early exit is wrong and sure enough. */
  readonly kappa: number;
  /** Margin at which the final exit's label is safe. */
  readonly keep: number;
  /** Weight of the final exit's margin against the sum of the early ones. */
  readonly weight: number;
}

/** The gap between two logits at which the winner's probability passes a threshold (two classes in play), and some more. */
export function properDefaults({ policy, model }: Target): ProperOptions {
  const tau = policy.rule === "max-softmax" ? Math.max(...policy.thresholds, 0.5) : 0.9;
  const kappa = Math.log(Math.min(tau, 0.999) / (1 - Math.min(tau, 0.999))) + 1;
  return { kappa, keep: 1, weight: Math.max(1, model.exits.length - 1) };
}

export function earlyProper(target: Target, options: ProperOptions): Objective {
  const early = earlyExits(target, "early:proper");
  return {
    name: "early:proper",
    losses: [
      {
        key: `early:proper/${options.kappa}/${options.keep}/${options.weight}`,
        exits: allExits(target),
        build: (g) => properLoss(g, target, early, options),
      },
    ],
    answer: "routed",
    label: finalLabel,
    starts: () => [0],
    succeeded: earlyFires(target),
  };
}
