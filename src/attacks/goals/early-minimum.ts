/** @file The early attack of smallest distance. The chosen exits change their labels and the full
 *  network keeps its own. The full network is the final exit, with every gate open. With gates, the
 *  final exit itself is among those that change, because it is another network. The loss is the
 *  worst margin among these conditions, so it is positive exactly at a success. Methods that search
 *  for the closest image need such a loss. Source: dynn; docs/method.md section 5. */

import { DynnError } from "../../core/errors.js";
import type { Loss } from "../losses/loss.js";
import { margin, marginOf } from "../losses/nodes.js";
import { list } from "../parameters.js";
import { cleanOf } from "../sample.js";
import { attackedExits } from "./early.js";
import { type Goal, goal } from "./goal.js";
import { exitCount, fullLabel, hasFull, labelAt, type Victim } from "./victim.js";

const NAME = "early:minimum";

function make(victim: Victim, exits: string): Goal {
  const chosen = chosenExits(victim, exits);
  return {
    name: NAME,
    losses: [lossOf(victim, chosen)],
    answer: "routed",
    exits: [...new Set([...chosen, exitCount(victim) - 1])],
    label: (sample) => fullLabel(victim, cleanOf(sample)),
    starts: () => [0],
    succeeded: (sample, seen) => {
      const y = fullLabel(victim, cleanOf(sample));
      return fullLabel(victim, seen) === y && chosen.every((k) => labelAt(seen.logits, k) !== y);
    },
  };
}

/** The worst margin among the conditions of a success. */
function lossOf(victim: Victim, chosen: readonly number[]): Loss {
  const reads = hasFull(victim);
  const last = exitCount(victim) - 1;
  return {
    key: `${NAME}/${chosen.join(",")}`,
    exits: reads ? chosen : [...chosen, last],
    ...(reads ? { full: true } : {}),
    build: (ctx) => {
      const kept = reads ? marginOf(ctx, ctx.full()) : margin(ctx, last);
      return ctx.builder.op("Min", [...chosen.map((k) => margin(ctx, k)), ctx.builder.op("Neg", [kept])]);
    },
  };
}

/** @throws DynnError 'attack/config' when an exit cannot be changed; 'attack/unsupported' */
function chosenExits(victim: Victim, exits: string): readonly number[] {
  const all = attackedExits(victim, NAME);
  if (exits === "") return all;
  const chosen = [...new Set(exits.split(",").map(Number))].sort((a, b) => a - b);
  const wrong = chosen.find((k) => !all.includes(k));
  if (wrong === undefined) return chosen;
  throw new DynnError("attack/config", `goal ${NAME}, exits: got ${exits}, but ${changeable(all.length)}`, {
    exits,
    wrong,
  });
}

const changeable = (exits: number): string =>
  exits === 1
    ? "exit 0 is the only one that it can change. Leave exits out."
    : `the exits that it can change are 0 to ${exits - 1}. Name some of them, such as "0,1".`;

export const earlyMinimum = goal({
  about:
    "the worst margin larger: each chosen exit away from the label of the full network, the full network towards it",
  success: "the full network's label is kept, the labels of the chosen exits are changed",
  source: "dynn; docs/method.md, section 5",
  needs: "early exits or gates",
  readsFull: true,
  takesLoss: false,
  targeted: false,
  parameters: {
    exits: list("", 'the exits to change, such as "0,2"', "all early exits; with gates, the final one too"),
  },
  make: ({ victim }, { exits }) => make(victim, exits),
});
