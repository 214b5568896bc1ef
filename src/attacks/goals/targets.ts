/** @file The class that a targeted attack aims at. */

import { uniform } from "../../core/rng.js";
import type { Sample } from "../sample.js";
import type { Goal } from "./goal.js";
import { exitCount, type Victim } from "./victim.js";

/** What an attack can aim at: the class of the smallest logit, a random wrong class, or a class. */
export type Aim = "least-likely" | "random" | number;

/** The class to aim at for each sample. The clean logits of the final exit rank the classes. */
export function targetOf(aim: Aim, victim: Victim): NonNullable<Goal["target"]> {
  if (typeof aim === "number") return () => aim;
  const { classes } = victim.model;
  if (aim === "random")
    return ({ id, label }, seed) => {
      const [draw] = uniform({ seed, sample: id, purpose: "attack-target", step: 0 }, 1);
      return (label + 1 + Math.floor(draw * (classes - 1))) % classes;
    };
  return ({ clean, label }: Sample) => leastLikely(clean[exitCount(victim) - 1], label);
}

/** The class of the smallest logit, other than the label. */
function leastLikely(logits: Float32Array, label: number): number {
  let least = label === 0 ? 1 : 0;
  for (let k = 0; k < logits.length; k++) if (k !== label && logits[k] < logits[least]) least = k;
  return least;
}
