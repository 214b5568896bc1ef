/** @file Keeps the best iterate of one sample's attack. More steps or restarts never make the
 *  result worse. */

import { NORMS } from "../../perturb/norms.js";
import type { Evaluation, FoundImage } from "../question.js";
import type { Task } from "./method.js";

/** What ranks successes. */
export interface BestOptions {
  /** Smaller is better. Images beyond the radius do not count then. The default is the distance in
   * the norm of the budget when it has no radius, and the score when it has one. */
  readonly distance?: (image: Float32Array, clean: Float32Array) => number;
}

/** The best image that an attack on one sample has found. */
export class Best {
  #image: Float32Array | undefined;
  #success = false;
  #rank = Number.NEGATIVE_INFINITY;
  #confirmed = false;
  readonly #task: Task;
  readonly #distance: BestOptions["distance"];

  constructor(task: Task, { distance }: BestOptions = {}) {
    const { norm, radius } = task.budget;
    this.#task = task;
    this.#distance = distance ?? (radius === undefined ? NORMS[norm].distance : undefined);
  }

  /** The best image of a search for the closest success. A radius says which images count. */
  static closest(task: Task): Best {
    return new Best(task, { distance: NORMS[task.budget.norm].distance });
  }

  /** Compares an iterate with the best one. Success ranks first. The smaller distance ranks next
   * among successes, where successes have a distance. The score ranks last.
   * @returns whether the iterate is a success */
  offer(image: Float32Array, evaluation: Evaluation): boolean {
    const { sample, goal } = this.#task;
    const success = goal.succeeded(sample, evaluation);
    if (this.#distance && !this.#counts(image)) return success;
    const rank =
      success && this.#distance
        ? -this.#distance(image, sample.pixels)
        : (goal.score?.(sample, evaluation) ?? evaluation.loss);
    if (success === this.#success ? rank > this.#rank : success) this.#keep(image, success, rank);
    return success;
  }

  /** Whether the image is within the radius. */
  #counts(image: Float32Array): boolean {
    const { budget, sample } = this.#task;
    return budget.radius === undefined || NORMS[budget.norm].distance(image, sample.pixels) <= budget.radius;
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
