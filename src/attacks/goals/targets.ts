/** @file The class that a targeted attack aims at. */

import { uniform } from "../../core/rng.js";
import type { Sample } from "../sample.js";
import type { Goal } from "./goal.js";
import { exitCount, type Victim } from "./victim.js";

/** What an attack can aim at by name: the wrong class of the smallest or of the largest logit, or a
 * random wrong class. */
export const AIM_NAMES = ["least-likely", "second", "random"] as const;

/** What an attack can aim at: a name, or a class. */
export type Aim = (typeof AIM_NAMES)[number] | number;

/** The class to aim at for each sample. The clean logits of the final exit rank the classes. */
export function targetOf(aim: Aim, victim: Victim): NonNullable<Goal["target"]> {
  if (typeof aim === "number") return () => aim;
  const { classes } = victim.model;
  if (aim === "random")
    return ({ id, label }, seed) => {
      const [draw] = uniform({ seed, sample: id, purpose: "attack-target", step: 0 }, 1);
      return (label + 1 + Math.floor(draw * (classes - 1))) % classes;
    };
  const sign = aim === "second" ? 1 : -1;
  return ({ clean, label }: Sample) => largestOther(clean[exitCount(victim) - 1], label, sign);
}

/** The class of the largest logit times the sign, other than the label. */
function largestOther(logits: Float32Array, label: number, sign: number): number {
  let found = label === 0 ? 1 : 0;
  for (let k = 0; k < logits.length; k++) if (k !== label && sign * logits[k] > sign * logits[found]) found = k;
  return found;
}

/** The wrong classes of the largest logits on the clean image, the likeliest first. It is the one
 * target of an attack that has a target. The logits are those of the goal's exit, or of the final
 * exit for the routed answer.
 * @param count the most classes */
export function likeliestOthers(
  { sample, goal }: { readonly sample: Sample; readonly goal: Goal },
  count: number,
): readonly number[] {
  if (sample.target !== undefined) return [sample.target];
  const logits = goal.answer === "routed" ? (sample.clean.at(-1) as Float32Array) : sample.clean[goal.answer];
  const label = goal.label(sample);
  const others = [...logits.keys()].filter((k) => k !== label);
  return others.sort((a, b) => logits[b] - logits[a] || a - b).slice(0, count);
}
