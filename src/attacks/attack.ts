/** @file What an attack is, how it runs, and what it leaves: an image and an account of the work
 *  for each sample. */

import type { Budget } from "../perturb/norms.js";
import type { Goal } from "./goals/goal.js";
import type { LossForm } from "./losses/table.js";
import type { Method } from "./methods/method.js";
import type { FoundImage } from "./question.js";
import type { Sample } from "./sample.js";

/** An attack ready to run: a goal, a method, and a distance from the clean image. */
export interface Attack {
  /** The goal of the attack. */
  readonly goal: Goal;
  /** The same goal with another loss. A goal with a loss of its own stays the same. */
  readonly withLoss: (form: LossForm) => Goal;
  /** The method that searches for an image. */
  readonly method: Method;
  /** How far the image may move from the clean image. */
  readonly budget: Budget;
}

/** How attacks run. */
export interface AttackOptions {
  /** Random starts depend on this seed and on the sample's id. */
  readonly seed: number;
  /** Samples per evaluation. This number changes time and memory, never results. */
  readonly batch: number;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Outcomes of an earlier run of the same attack, by the place of the sample. These samples are
   * not attacked again. A method that works on all samples at once starts over. */
  readonly known?: ReadonlyMap<number, SampleOutcome> | undefined;
  /** Called with each outcome and the place of its sample. */
  readonly onOutcome?: ((place: number, outcome: SampleOutcome) => void) | undefined;
  /** Awaited between two evaluations. */
  readonly between?: (() => Promise<void> | undefined) | undefined;
  /** Called with the number of finished samples and the number of all samples. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The work of an attack on one sample. */
export interface Spent {
  /** Images that the network evaluated. */
  readonly queries: number;
  /** Gradients among them. */
  readonly gradients: number;
  /** MACs of the forward passes. */
  readonly forwardMacs: number;
  /** MACs of the backward passes. */
  readonly backwardMacs: number;
  /** MACs, forward and backward, up to the first evaluated image that meets the goal. Null when no
   * such image was evaluated. */
  readonly macsToSuccess: number | null;
  /** Images evaluated up to and including that image, or null. */
  readonly queriesToSuccess: number | null;
}

/** The result of an attack on one sample. */
export interface SampleOutcome extends FoundImage {
  /** False when the clean image meets the goal already. The attack does not change such a
   * sample. */
  readonly eligible: boolean;
  /** The work of the attack for this sample. */
  readonly spent: Spent;
  /** True when a gradient vanished (see {@link LEAST_GRADIENT}) at an image where the attack had
   * not succeeded. */
  readonly vanished?: boolean;
  /** Whether the loss of the search rose above its first value. Undefined when no gradient was
   * asked for. */
  readonly lossRose?: boolean;
}

export const NOTHING_SPENT: Spent = {
  queries: 0,
  gradients: 0,
  forwardMacs: 0,
  backwardMacs: 0,
  macsToSuccess: null,
  queriesToSuccess: null,
};

/** The samples with the classes that the attack aims at. */
export const aimed = ({ goal }: Pick<Attack, "goal">, samples: readonly Sample[], seed: number): Sample[] =>
  samples.map((sample) => (goal.target ? { ...sample, target: goal.target(sample, seed) } : sample));
