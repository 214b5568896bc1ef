/** @file Random images at the border of a ball, where Auto-PGD and FAB begin, and the projection
 *  into the L1 ball. Source: Croce & Hein 2020 and 2021, their published code. */

import { normal, uniform } from "../../core/rng.js";
import { intoL1BallAndBox } from "../../perturb/sparse.js";
import { keyOf, type Task } from "./method.js";

/** The image at a difference from the clean one, projected onto the L1 ball and into [0,1]. An
 * unchanged value stays exactly the clean one. */
export function inBall(difference: Float32Array, clean: Float32Array, radius: number): Float32Array {
  const projected = intoL1BallAndBox(difference, clean, radius);
  return clean.map((c, i) => (projected[i] === 0 ? c : Math.min(Math.max(c + projected[i], 0), 1)));
}

/** A random image at this distance from the clean one, then clipped to [0,1].
 * @param step the step of the stream of random numbers */
export function atBorder(task: Task, radius: number, step: number): Float32Array {
  const { budget, sample } = task;
  const key = keyOf(task, "attack-start", step);
  const size = sample.pixels.length;
  const noise = budget.norm === "linf" ? uniform(key, size, -1, 1) : normal(key, size);
  if (budget.norm === "l1") return inBall(noise, sample.pixels, radius);
  const length = noise.reduce((a, v) => (budget.norm === "linf" ? Math.max(a, Math.abs(v)) : Math.hypot(a, v)), 0);
  return sample.pixels.map((v, i) => Math.min(Math.max(v + (radius * noise[i]) / (length + 1e-12), 0), 1));
}
