/** @file The routed goal: ascend the loss of the exit that the policy takes at the current iterate.
 *  An attacker of the deployed network does this. Only the prefix up to that exit is run, forward
 *  and backward. This saves the work of the later stages. */
import { routeOne } from "../../dynamic/route/route.js";
import type { Loss } from "../losses/loss.js";
import type { ExitLogits } from "../sample.js";
import { type Goal, type GoalContext, goal } from "./goal.js";
import { allExits, exitCount, prefixOf, routedIsWanted, scaleFreeOf, trueLabel, type Victim } from "./victim.js";

/** One loss per exit where the work can stop. Under the fallback most-confident, also one loss per
 * exit that can then answer. */
function make({ victim, loss, target }: GoalContext): Goal {
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
        key: `routed-${loss.key}@${stop}/${answer}`,
        exits: allExits(victim).slice(0, stop + 1),
        build: (ctx) => loss.of(ctx, answer),
      }),
    ),
    answer: "routed",
    exits: allExits(victim),
    label: trueLabel,
    target,
    starts: (sample) => [find(sample.clean) ?? places.length - 1],
    // No exit of the prefix fired, so the next exit follows.
    follow: (logits, at) => find(logits) ?? Math.min(at + 1, places.length - 1),
    succeeded: routedIsWanted(victim),
    scaleFree: scaleFreeOf(loss),
  };
}

const fallbackAnswers = (victim: Victim): number[] =>
  victim.policy.fallback === "final" ? [exitCount(victim) - 1] : allExits(victim);

export const routed = goal({
  about: "the loss at the exit that the policy takes for this iterate larger; only the prefix up to it is run",
  success: "the routed answer is wrong",
  source: "dynn",
  needs: "early exits",
  takesLoss: true,
  targeted: true,
  parameters: {},
  make,
});
