/** @file The routed objective: ascend the loss of the exit that the policy takes at the current
 *  iterate. An attacker of the deployed network does this. Only the prefix up to that exit is run,
 *  forward and backward. This saves the work of the later stages. */
import { routeOne } from "../../dynamic/route/route.js";
import type { ValueName } from "../../graph/graph.js";
import type { ExitLogits, Loss, LossContext, Objective } from "../attack.js";
import { crossEntropy, margin, scaledCrossEntropy } from "../losses.js";
import { allExits, exitCount, prefixOf, routedIsWrong, trueLabel, type Victim } from "./victim.js";

/** One loss per exit where the work can stop. Under the fallback most-confident, also one loss per
 * exit that can then answer. */
export const routed = (victim: Victim): Objective => ({
  ...routedBy(victim, { name: "routed", of: crossEntropy }),
  scaleFree: [
    routedBy(victim, { name: "routed-margin", of: margin }),
    routedBy(victim, { name: "routed-scaled", of: scaledCrossEntropy }),
  ],
});

/** The loss on one exit, with its name. */
interface ExitLoss {
  readonly name: string;
  readonly of: (ctx: LossContext, exit: number) => ValueName;
}

function routedBy(victim: Victim, { name, of }: ExitLoss): Objective {
  const places = [
    ...allExits(victim)
      .slice(0, -1)
      .map((k) => ({ stop: k, answer: k })),
    ...fallbackAnswers(victim).map((answer) => ({ stop: exitCount(victim) - 1, answer })),
  ];
  const find = (logits: ExitLogits): number | undefined => {
    const r = routeOne(prefixOf(logits), victim.policy, exitCount(victim));
    return r && places.findIndex((p) => p.stop === r.stop && p.answer === r.answer);
  };
  return {
    name: "routed",
    losses: places.map(
      ({ stop, answer }): Loss => ({
        key: `${name}@${stop}/${answer}`,
        exits: allExits(victim).slice(0, stop + 1),
        build: (ctx) => of(ctx, answer),
      }),
    ),
    answer: "routed",
    label: trueLabel,
    starts: (sample) => [find(sample.clean) ?? places.length - 1],
    // No exit of the prefix fired, so the next exit follows.
    follow: (logits, at) => find(logits) ?? Math.min(at + 1, places.length - 1),
    succeeded: routedIsWrong(victim),
  };
}

const fallbackAnswers = (victim: Victim): number[] =>
  victim.policy.fallback === "final" ? [exitCount(victim) - 1] : allExits(victim);
