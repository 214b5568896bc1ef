/** @file The slowdown goal: lower the confidence of every early exit, so that the network runs all
 *  its stages. Source: Hong et al. 2021, "A Panda? No, It's a Sloth" (DeepSloth): descend the
 *  cross-entropy between the uniform distribution and each early exit. */
import { flatness, sum } from "../losses/nodes.js";
import { type Goal, type GoalContext, goal } from "./goal.js";
import { earlyExits, firing, trueLabel } from "./victim.js";

/** The final exit is not computed, because neither the loss nor the test of success needs it. */
function make({ victim }: GoalContext): Goal {
  const early = earlyExits(victim, "slowdown");
  return {
    name: "slowdown",
    losses: [
      {
        key: "slowdown",
        exits: early,
        build: (ctx) =>
          sum(
            ctx,
            early.map((k) => flatness(ctx, k)),
          ),
      },
    ],
    answer: "routed",
    exits: early,
    label: trueLabel,
    starts: () => [0],
    succeeded: (_, logits) => firing(logits, victim) === undefined,
  };
}

export const slowdown = goal({
  about: "every early exit closer to the uniform distribution",
  success: "no early exit fires",
  source: "Hong et al. 2021, DeepSloth",
  needsEarlyExits: true,
  takesLoss: false,
  targeted: false,
  parameters: {},
  make,
});
