/** @file The slowdown objective: lower the confidence of every early exit, so that the network runs
 *  all its stages. Source: Hong et al. 2021, "A Panda? No, It's a Sloth" (DeepSloth): descend the
 *  cross-entropy between the uniform distribution and each early exit. */
import type { Objective } from "../attack.js";
import { flatness, sum } from "../losses.js";
import { earlyExits, firing, trueLabel, type Victim } from "./victim.js";

/** The final exit is not computed, because neither the loss nor the test of success needs it. */
export function slowdown(victim: Victim): Objective {
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
    label: trueLabel,
    starts: () => [0],
    succeeded: (_, logits) => firing(logits, victim) === undefined,
  };
}
