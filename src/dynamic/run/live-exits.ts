/** @file Exits that a policy can stop at. The others need not be computed: their heads cost time and change no answer. */

import type { Policy } from "../../schema/policy.js";
import type { DynamicModel, Exit } from "../model/model.js";
import { RULE_DEFS } from "../route/policy.js";
import type { Routed } from "../route/route.js";

export interface LiveExits {
  /** The exits to run, the final one last. */
  readonly exits: readonly Exit[];
  /** The policy over these alone. */
  readonly policy: Policy;
  /** An answer over these, with the model's own numbers of exits. */
  readonly original: <A extends Routed>(answer: A) => A;
}

/** An early exit is left out when nothing it says can stop the work (a threshold past the surest confidence) and nothing else asks for
 *  it: patience counts all exits, and the fallback most-confident compares all. */
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
