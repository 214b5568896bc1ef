/** @file Change the label of one exit. */
import { DynnError } from "../../core/errors.js";
import type { Sample, Seen } from "../sample.js";
import { type Goal, type GoalContext, goal } from "./goal.js";
import { exitCount, labelAt, scaleFreeOf, trueLabel } from "./victim.js";

function make({ victim, loss, target, at }: GoalContext): Goal {
  const last = exitCount(victim) - 1;
  const k = at === undefined || at === "final" ? last : Number(at);
  if (!(Number.isInteger(k) && k >= 0 && k <= last))
    throw new DynnError(
      "attack/config",
      `goal misclassify:${at}: the model has exits 0 to ${last}. Name one of them, or "final".`,
      { exit: at },
    );
  return {
    name: `misclassify:${at ?? "final"}`,
    losses: [{ key: `${loss.key}@${k}`, exits: [k], build: (ctx) => loss.of(ctx, k) }],
    answer: k,
    exits: [k],
    label: trueLabel,
    target,
    starts: () => [0],
    succeeded: (sample: Sample, { logits }: Seen) =>
      sample.target === undefined ? labelAt(logits, k) !== sample.label : labelAt(logits, k) === sample.target,
    scaleFree: scaleFreeOf(loss),
  };
}

export const misclassify = goal({
  about: "the label of one exit wrong: `misclassify:final`, or `misclassify:K` for exit K from 0",
  success: "that label is wrong",
  source: "Szegedy et al. 2014",
  takesLoss: true,
  targeted: true,
  parameters: {},
  make,
});
