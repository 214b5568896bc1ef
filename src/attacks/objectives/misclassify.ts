/** @file Change the label of one exit. Losses: cross-entropy, or the margin of Carlini & Wagner
 *  2017. */
import { DynnError } from "../../core/errors.js";
import type { LossContext, Objective } from "../attack.js";
import { capped, crossEntropy, margin, scaledCrossEntropy } from "../losses.js";
import { exitCount, labelAt, trueLabel, type Victim } from "./victim.js";

const ENTROPIES = { "cross-entropy": crossEntropy, "scaled-cross-entropy": scaledCrossEntropy };

export interface MisclassifyOptions {
  readonly loss: keyof typeof ENTROPIES | "margin";
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
  const build = (ctx: LossContext) =>
    options.loss === "margin" ? capped(ctx, margin(ctx, k), options.kappa) : ENTROPIES[options.loss](ctx, k);
  return {
    name: `misclassify:${exit}`,
    losses: [{ key: `${options.loss}@${k}/${options.kappa}`, exits: [k], build }],
    answer: k,
    label: trueLabel,
    starts: () => [0],
    succeeded: (sample, logits) => labelAt(logits, k) !== sample.label,
    ...(options.loss === "cross-entropy"
      ? {
          scaleFree: [
            misclassify(victim, exit, { loss: "margin", kappa: 1e3 }),
            misclassify(victim, exit, { ...options, loss: "scaled-cross-entropy" }),
          ],
        }
      : {}),
  };
}
