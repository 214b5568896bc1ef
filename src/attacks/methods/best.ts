/** @file Keeps the best iterate of one sample's attack. More steps or restarts never make the
 *  result worse. */

import { NORMS } from "../../perturb/norms.js";
import type { Evaluation, FoundImage } from "../question.js";
import type { Task } from "./method.js";

/** The best image that an attack on one sample has found. */
export class Best {
  #image: Float32Array | undefined;
  #success = false;
  #rank = Number.NEGATIVE_INFINITY;
  #confirmed = false;
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  /** Compares an iterate with the best one. Success ranks first. Without a radius, the smaller
   * distance ranks next among successes. The score ranks last.
   * @returns whether the iterate is a success */
  offer(image: Float32Array, evaluation: Evaluation): boolean {
    const { sample, goal, budget } = this.#task;
    const success = goal.succeeded(sample, evaluation.logits);
    const byDistance = success && budget.radius === undefined;
    const rank = byDistance
      ? -NORMS[budget.norm].distance(image, sample.pixels)
      : (goal.score?.(sample, evaluation) ?? evaluation.loss);
    if (success === this.#success ? rank > this.#rank : success) this.#keep(image, success, rank);
    return success;
  }

  /** Keep an iterate, without a comparison. */
  #keep(image: Float32Array, success: boolean, rank: number): void {
    this.#image = Float32Array.from(image);
    this.#success = success;
    this.#rank = rank;
  }

  /** Whether the best image meets the goal. */
  get success(): boolean {
    return this.#success;
  }

  /** Keep this iterate as the final result, because it also succeeds as an 8-bit file. */
  confirm(image: Float32Array): void {
    this.#keep(image, true, Number.POSITIVE_INFINITY);
    this.#confirmed = true;
  }

  /** Whether a check showed that the best image succeeds as an 8-bit file. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** The best iterate, or the clean image before the first iterate. */
  found(): FoundImage {
    return { image: this.#image ?? this.#task.sample.pixels, success: this.#success };
  }
}
