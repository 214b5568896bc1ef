/** @file The table of goals. Attack files, help texts and documentation are made from it. */

import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import { average, max } from "./combined.js";
import { earlyMargin, earlyPublished } from "./early.js";
import { earlyMinimum } from "./early-minimum.js";
import type { GoalDef } from "./goal.js";
import { misclassify } from "./misclassify.js";
import { routed } from "./routed.js";
import { slowdown } from "./slowdown.js";
import { speedUp } from "./speed-up.js";

/** All goals, by name. `misclassify` also takes an exit, after a colon. */
export const GOALS = {
  misclassify,
  average,
  max,
  routed,
  "early:published": earlyPublished,
  "early:margin": earlyMargin,
  slowdown,
  "early:minimum": earlyMinimum,
  "speed-up": speedUp,
} as const satisfies Readonly<Record<string, GoalDef>>;

/** The name of a goal. */
export type GoalName = keyof typeof GOALS;
export const GOAL_NAMES = Object.keys(GOALS) as GoalName[];

/** The goal of a name such as "misclassify:2", and the word after its colon.
 * @throws DynnError 'attack/config' */
export function goalNamed(name: string, where: string): { readonly def: GoalDef; readonly at: string | undefined } {
  if (Object.hasOwn(GOALS, name)) return { def: GOALS[name as GoalName], at: undefined };
  const at = /^misclassify:(final|\d+)$/.exec(name)?.[1];
  if (at !== undefined) return { def: GOALS.misclassify, at };
  throw new DynnError(
    "attack/config",
    `${where}: goal "${name}" is not known.${didYouMean(name, GOAL_NAMES)} Choose from misclassify:final, misclassify:K, ${GOAL_NAMES.slice(1).join(", ")}.`,
    { name },
  );
}
