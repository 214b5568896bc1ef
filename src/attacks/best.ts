/** @file Keeps the best iterate of one sample's attack: the result may only get better with more steps or restarts. */

import { NORMS } from "../perturb/norms.js";
import type { Evaluation, FoundImage, Task } from "./attack.js";

/** The best image that an attack on one sample has met. */
export class Best {
  #image: Float32Array | undefined;
  #success = false;
  #rank = Number.NEGATIVE_INFINITY;
  #confirmed = false;
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  /** Consider an iterate. Success comes first; then, without a radius, the smaller distance among successes; then the score.
   * @returns whether the iterate is a success */
  offer(image: Float32Array, evaluation: Evaluation): boolean {
    const { sample, objective, budget } = this.#task;
    const success = objective.succeeded(sample, evaluation.logits);
    const byDistance = success && budget.radius === undefined;
    const rank = byDistance
      ? -NORMS[budget.norm].distance(image, sample.pixels)
      : (objective.score?.(sample, evaluation) ?? evaluation.loss);
    if (success === this.#success ? rank > this.#rank : success) this.#keep(image, success, rank);
    return success;
  }

  /** Keep an iterate whatever came before. */
  #keep(image: Float32Array, success: boolean, rank: number): void {
    this.#image = Float32Array.from(image);
    this.#success = success;
    this.#rank = rank;
  }

  /** Whether the best image meets the objective. */
  get success(): boolean {
    return this.#success;
  }

  /** Keep this iterate for good: it succeeds as an 8-bit file too. */
  confirm(image: Float32Array): void {
    this.#keep(image, true, Number.POSITIVE_INFINITY);
    this.#confirmed = true;
  }

  /** Whether the best image is known to succeed as an 8-bit file. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** The best iterate, or the clean image when none was offered. */
  found(): FoundImage {
    return { image: this.#image ?? this.#task.sample.pixels, success: this.#success };
  }
}
