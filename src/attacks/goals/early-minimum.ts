/** @file The early attack of smallest distance. The chosen early exits change their labels and the
 *  final exit keeps its own. The loss is the worst margin among these conditions, so it is positive
 *  exactly at a success. Methods that search for the closest image need such a loss.
 *  Source: dynn; docs/method.md section 5. */

import { DynnError } from "../../core/errors.js";
import { argmax } from "../../dynamic/route/policy.js";
import { margin } from "../losses/nodes.js";
import { list } from "../parameters.js";
import { type Goal, goal } from "./goal.js";
import { earlyExits, exitCount, finalLabel, labelAt, type Victim } from "./victim.js";

const NAME = "early:minimum";

function make(victim: Victim, exits: string): Goal {
  const chosen = chosenExits(victim, exits);
  const last = exitCount(victim) - 1;
  return {
    name: NAME,
    losses: [
      {
        key: `${NAME}/${chosen.join(",")}`,
        exits: [...chosen, last],
        build: (ctx) =>
          ctx.builder.op("Min", [...chosen.map((k) => margin(ctx, k)), ctx.builder.op("Neg", [margin(ctx, last)])]),
      },
    ],
    answer: "routed",
    exits: [...chosen, last],
    label: finalLabel,
    starts: () => [0],
    succeeded: (sample, { logits }) => {
      const y = finalLabel(sample);
      return labelAt(logits, last) === y && chosen.every((k) => argmax(logits[k] as Float32Array) !== y);
    },
  };
}

/** @throws DynnError 'attack/config' when an exit is not an early one */
function chosenExits(victim: Victim, exits: string): number[] {
  const early = earlyExits(victim, NAME);
  if (exits === "") return early;
  const chosen = [...new Set(exits.split(",").map(Number))].sort((a, b) => a - b);
  const wrong = chosen.find((k) => !early.includes(k));
  if (wrong === undefined) return chosen;
  throw new DynnError(
    "attack/config",
    `goal ${NAME}, exits: got ${exits}, but the early exits of the model are 0 to ${early.length - 1}. Name some of them, such as "0,1".`,
    { exits, wrong },
  );
}

export const earlyMinimum = goal({
  about: "the worst margin larger: each chosen early exit away from the final label, the final exit towards it",
  success: "the final label is kept, the labels of the chosen early exits are changed",
  source: "dynn; docs/method.md, section 5",
  needs: "early exits",
  takesLoss: false,
  targeted: false,
  parameters: { exits: list("", 'the early exits to change, such as "0,2"', "all early exits") },
  make: ({ victim }, { exits }) => make(victim, exits),
});
