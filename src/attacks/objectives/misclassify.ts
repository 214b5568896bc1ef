/** @file Change the label of one exit. Losses: cross-entropy, or the margin of Carlini & Wagner
 *  2017. */
import { DynnError } from "../../core/errors.js";
import type { LossContext, Objective } from "../attack.js";
import { capped, crossEntropy, margin } from "../losses.js";
import { exitCount, labelAt, trueLabel, type Victim } from "./victim.js";

export interface MisclassifyOptions {
  readonly loss: "cross-entropy" | "margin";
  /** Margin beyond which the loss does not grow. Only the margin loss uses it. */
  readonly kappa: number;
}

/** @param exit number of the exit, or "final"
 * @throws DynnError 'attack/config' when the model does not have this exit */
export function misclassify(victim: Victim, exit: number | "final", options: MisclassifyOptions): Objective {
  const k = exit === "final" ? exitCount(victim) - 1 : exit;
  if (!(Number.isInteger(k) && k >= 0 && k < exitCount(victim)))
    throw new DynnError(
      "attack/config",
      `objective misclassify:${exit}: the model has exits 0 to ${exitCount(victim) - 1}. Name one of them, or "final".`,
      { exit },
    );
  const build =
    options.loss === "margin"
      ? (ctx: LossContext) => capped(ctx, margin(ctx, k), options.kappa)
      : (ctx: LossContext) => crossEntropy(ctx, k);
  return {
    name: `misclassify:${exit}`,
    losses: [{ key: `${options.loss}@${k}/${options.kappa}`, exits: [k], build }],
    answer: k,
    label: trueLabel,
    starts: () => [0],
    succeeded: (sample, logits) => labelAt(logits, k) !== sample.label,
    ...(options.loss === "margin" ? {} : { onMargins: misclassify(victim, exit, { loss: "margin", kappa: 1e3 }) }),
  };
}
