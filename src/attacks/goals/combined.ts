/** @file Attacks on all exits at once: their average loss, or the strongest single-exit attack by
 *  total loss. Source: Hu et al. 2020, "Triple Wins" (PGD-average, PGD-max). */
import { softmaxRow } from "../../dynamic/route/policy.js";
import type { LossContext } from "../losses/loss.js";
import { scale, sum } from "../losses/nodes.js";
import type { Evaluation } from "../question.js";
import type { Sample } from "../sample.js";
import { type Goal, type GoalContext, goal } from "./goal.js";
import { allExits, exitCount, routedIsWanted, scaleFreeOf, trueLabel } from "./victim.js";

const shared = ({ victim, loss, target }: GoalContext) => ({
  answer: "routed" as const,
  exits: allExits(victim),
  label: trueLabel,
  target,
  succeeded: routedIsWanted(victim),
  scaleFree: scaleFreeOf(loss),
});

/** The mean loss over the exits. */
const makeAverage = (context: GoalContext): Goal => {
  const { victim, loss } = context;
  const exits = allExits(victim);
  return {
    ...shared(context),
    name: "average",
    losses: [
      {
        key: `average-${loss.key}`,
        exits,
        build: (ctx) =>
          scale(
            ctx,
            sum(
              ctx,
              exits.map((k) => loss.of(ctx, k)),
            ),
            1 / exitCount(victim),
          ),
      },
    ],
    starts: () => [0],
  };
};

/** One run per exit on that exit's loss. The image with the largest total loss wins. */
const makeMax = (context: GoalContext): Goal => {
  const { victim, loss } = context;
  const exits = allExits(victim);
  return {
    ...shared(context),
    name: "max",
    losses: exits.map((k) => ({
      key: `max-${loss.key}@${k}`,
      exits,
      build: (ctx: LossContext) => loss.of(ctx, k),
    })),
    starts: () => exits,
    score: totalLoss,
  };
};

/** Sum over exits of the cross-entropy of the true label, or minus that of the target. */
const totalLoss = ({ label, target }: Sample, { logits }: Evaluation): number => {
  const entropies = logits.reduce(
    (total, row) => total - Math.log(Math.max(softmaxRow(row as Float32Array)[target ?? label], Number.MIN_VALUE)),
    0,
  );
  return target === undefined ? entropies : -entropies;
};

const common = {
  success: "the routed answer is wrong",
  source: "Hu et al. 2020",
  needs: "early exits" as const,
  takesLoss: true,
  targeted: true,
  parameters: {},
};

export const average = goal({ ...common, about: "the mean loss over all exits larger", make: makeAverage });

export const max = goal({
  ...common,
  about: "the loss of one exit larger; one run per exit, and the strongest by total loss is kept",
  make: makeMax,
});
