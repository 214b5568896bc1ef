/** @file What methods that search for the closest image have in common. */

import { NORMS } from "../../perturb/norms.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { evaluate } from "./evaluate.js";
import type { Task } from "./method.js";

/** A value that falls from one number to another along half a cosine. */
export const annealed = (from: number, to: number, step: number, steps: number): number =>
  to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;

/** Walks once from each loss that the goal starts with, and gives the closest success. */
export function* closestOf(task: Task, walk: (loss: number, best: Best) => Search<void>): Search {
  const best = Best.closest(task);
  for (const loss of task.goal.starts(task.sample)) yield* walk(loss, best);
  return best.found();
}

/** Searches for the smallest weight that still succeeds. Multiplies the weight by 10 until a
 * success. Then halves the gap. Source: Carlini & Wagner 2017, section V-B.
 * @param run runs with a weight, and returns whether it succeeded */
export function* searchWeight(first: number, rounds: number, run: (weight: number) => Search<boolean>): Search<void> {
  let [weight, low, high] = [first, 0, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    if (yield* run(weight)) high = weight;
    else low = weight;
    weight = high === Number.POSITIVE_INFINITY ? weight * 10 : (low + high) / 2;
  }
}

/** The boundary as seen from the clean image, if the loss were linear. */
export interface LinearBoundary {
  /** By how much the loss must rise. */
  readonly rise: number;
  /** d loss / d image, [c*h*w]. */
  readonly gradient: Float32Array;
}

/** Asks for the loss at the clean image.
 * @param goal the value that the loss must reach */
export function* boundaryFrom(task: Task, loss: number, goal = 0): Search<LinearBoundary> {
  const evaluation = yield* evaluate(task, task.sample.pixels, loss);
  return { rise: Math.abs(goal - evaluation.loss), gradient: Float32Array.from(evaluation.gradient) };
}

/** The weight at which c * loss and the squared L2 distance balance on the boundary of a linear
 * model. It is 100 times smaller for logits that are 100 times larger. */
export function balancedWeight({ rise, gradient }: LinearBoundary): number {
  const slope = NORMS.l2.dual(gradient);
  return slope > 0 ? (2 * rise) / slope ** 2 : 1;
}
