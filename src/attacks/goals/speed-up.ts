/** @file The speed-up goal: the network leaves at an earlier exit than for the clean image, or
 *  closes gates, with a wrong answer. Its cost falls, so a watch on costs sees no attack. Source:
 *  dynn. */

import { routeOne } from "../../dynamic/route/route.js";
import { capped, margin, sum } from "../losses/nodes.js";
import { amount } from "../parameters.js";
import type { Sample, Seen } from "../sample.js";
import { answerCost, COST_PARAMETERS, type CostValues, cleanCost, gatesMoved, hasMoved, leastCost } from "./costs.js";
import { firingGap } from "./early.js";
import { type Goal, goal } from "./goal.js";
import { allExits, exitCount, movableUnits, prefixOf, routedLabel, trueLabel, type Victim } from "./victim.js";

/** Where the clean image stops. */
const cleanStop = (victim: Victim, { clean }: Sample): number =>
  routeOne(clean, victim.policy, exitCount(victim))?.stop ?? exitCount(victim) - 1;

const leavesEarlier =
  (victim: Victim) =>
  (sample: Sample, { logits }: Seen): boolean => {
    const early = prefixOf(logits.slice(0, exitCount(victim) - 1));
    const routed = routeOne(early, victim.policy, exitCount(victim));
    return routed !== undefined && routed.stop < cleanStop(victim, sample) && routed.label !== sample.label;
  };

const becomesCheaper =
  (victim: Victim, share: number) =>
  (sample: Sample, seen: Seen): boolean =>
    hasMoved(victim, sample, seen, leastCost(victim), share) &&
    answerCost(victim, seen) < cleanCost(victim, sample) &&
    routedLabel(seen.logits, victim) !== sample.label;

interface SpeedUpOptions extends CostValues {
  readonly kappa: number;
}

/** One loss per early exit, and with gates one for the final exit. Each gets a run: the exits
 * before the clean one, the latest first. */
function make(victim: Victim, { kappa, gateKappa = 0, costShare = 1 }: SpeedUpOptions): Goal {
  const { early, gates } = movableUnits(victim, "speed-up");
  const closes = gates.length > 0;
  const answers = closes ? allExits(victim) : early;
  return {
    name: "speed-up",
    losses: answers.map((k) => ({
      key: `speed-up/${kappa}@${k}${closes ? `/gates${gateKappa}` : ""}`,
      exits: answers,
      build: (ctx) =>
        sum(ctx, [capped(ctx, margin(ctx, k), kappa), ...(closes ? [gatesMoved(ctx, victim, -1, gateKappa)] : [])]),
    })),
    answer: "routed",
    exits: answers,
    label: trueLabel,
    // Without gates, a sample that leaves at the first exit cannot leave earlier. Its run then
    // fails.
    starts: (sample) => answers.slice(0, Math.max(1, cleanStop(victim, sample) + (closes ? 1 : 0))).reverse(),
    succeeded: closes ? becomesCheaper(victim, costShare) : leavesEarlier(victim),
  };
}

export const speedUp = goal({
  about:
    "the margin of an exit before the clean image's exit larger, up to `kappa`; one run per exit; with gates, also their scores smaller",
  success:
    "the network leaves at an earlier exit than for the clean image, with a wrong label; with gates, the cost has fallen by `costShare` of what was possible, with a wrong label",
  source: "dynn",
  needs: "early exits or gates",
  takesLoss: false,
  targeted: false,
  parameters: {
    kappa: amount(firingGap, "margin at which an early exit is wrong and confident enough to fire", {
      usual: "the logit gap at which two classes reach the largest threshold, plus 1",
    }),
    ...COST_PARAMETERS,
  },
  make: ({ victim }, values) => make(victim, values),
});
