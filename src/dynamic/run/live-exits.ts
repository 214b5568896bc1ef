/** @file Finds the exits that can change an answer under a policy. The other exits are not run,
 *  because their heads cost time. */

import type { Policy } from "../../schema/policy.js";
import type { DynamicModel, Exit } from "../model/model.js";
import { RULE_DEFS } from "../route/policy.js";
import type { Routed } from "../route/route.js";

export interface LiveExits {
  /** The exits to run, the final one last. */
  readonly exits: readonly Exit[];
  /** The policy over these exits alone. */
  readonly policy: Policy;
  /** Replaces the numbers of these exits in an answer by the model's own numbers. */
  readonly original: <A extends Routed>(answer: A) => A;
}

/** An early exit is left out when its threshold is out of reach of every confidence. Patience and
 * the fallback most-confident keep all exits, because patience counts them all and the fallback
 * compares them all. */
export function liveExits({ exits, classes }: Pick<DynamicModel, "exits" | "classes">, policy: Policy): LiveExits {
  const { rule, fallback, thresholds, temperatures } = policy;
  const def = RULE_DEFS[rule];
  const [surest] = [...def.range(classes)].sort((a, b) => def.rank(b) - def.rank(a)) as [number];
  const asksAll = rule === "patience" || fallback === "most-confident";
  const live = exits.map((_, k) => asksAll || k === exits.length - 1 || def.fires(surest, thresholds[k]));
  const numbers = [...exits.keys()].filter((k) => live[k]);
  return {
    exits: exits.filter((_, k) => live[k]),
    policy: {
      ...policy,
      thresholds: asksAll ? thresholds : thresholds.filter((_, k) => live[k]),
      temperatures: temperatures?.filter((_, k) => live[k]),
    },
    original: (answer) => ({ ...answer, stop: numbers[answer.stop], answer: numbers[answer.answer] }),
  };
}
