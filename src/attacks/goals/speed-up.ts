/** @file The speed-up goal: the network leaves at an earlier exit than for the clean image, with a
 *  wrong answer. Its cost falls, so a watch on costs sees no attack. Source: dynn. */

import { routeOne } from "../../dynamic/route/route.js";
import { capped, margin } from "../losses/nodes.js";
import { amount } from "../parameters.js";
import type { ExitLogits, Sample } from "../sample.js";
import { firingGap } from "./early.js";
import { type Goal, goal } from "./goal.js";
import { earlyExits, exitCount, prefixOf, trueLabel, type Victim } from "./victim.js";

/** Where the clean image stops. */
const cleanStop = (victim: Victim, { clean }: Sample): number =>
  routeOne(clean, victim.policy, exitCount(victim))?.stop ?? exitCount(victim) - 1;

const leavesEarlier =
  (victim: Victim) =>
  (sample: Sample, logits: ExitLogits): boolean => {
    const early = prefixOf(logits.slice(0, exitCount(victim) - 1));
    const routed = routeOne(early, victim.policy, exitCount(victim));
    return routed !== undefined && routed.stop < cleanStop(victim, sample) && routed.label !== sample.label;
  };

/** One loss per early exit. The exits before the clean one get a run each, the latest first. */
function make(victim: Victim, kappa: number): Goal {
  const early = earlyExits(victim, "speed-up");
  return {
    name: "speed-up",
    losses: early.map((k) => ({
      key: `speed-up/${kappa}@${k}`,
      exits: early,
      build: (ctx) => capped(ctx, margin(ctx, k), kappa),
    })),
    answer: "routed",
    exits: early,
    label: trueLabel,
    // A sample that leaves at the first exit cannot leave earlier. Its run then fails.
    starts: (sample) => early.slice(0, Math.max(1, cleanStop(victim, sample))).reverse(),
    succeeded: leavesEarlier(victim),
  };
}

export const speedUp = goal({
  about: "the margin of an exit before the clean image's exit larger, up to `kappa`; one run per exit",
  success: "the network leaves at an earlier exit than for the clean image, with a wrong label",
  source: "dynn",
  needsEarlyExits: true,
  takesLoss: false,
  targeted: false,
  parameters: {
    kappa: amount(firingGap, "margin at which an early exit is wrong and confident enough to fire", {
      usual: "the logit gap at which two classes reach the largest threshold, plus 1",
    }),
  },
  make: ({ victim }, { kappa }) => make(victim, kappa),
});
