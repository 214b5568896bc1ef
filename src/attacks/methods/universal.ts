/** @file One change for many images: how it is fitted on batches of samples, and how it is judged.
 *  A perturbation and a patch are such changes. */

import { permutation, type StreamKey } from "../../core/rng.js";
import { count } from "../parameters.js";
import type { Evaluation, FoundImage, Question, Search } from "../question.js";
import { evaluateAll } from "./evaluate.js";
import { keyOf, type Task } from "./method.js";

/** A change of images that has values to fit. */
export interface Change {
  /** The image with the change, within [0,1]. */
  readonly apply: (pixels: Float32Array) => Float32Array;
  /** Whether a small step of value i moves the changed image. */
  readonly moves: (pixels: Float32Array, i: number) => boolean;
  /** Moves the values along the mean gradient. */
  readonly step: (gradient: Float32Array) => void;
}

export interface FitOptions {
  readonly epochs: number;
  readonly samplesPerStep: number;
}

type Step<T> = Generator<readonly Question[], T, readonly Evaluation[]>;

/** Random numbers of a set do not belong to one sample. They hang on the group's number. */
export const keyOfSet = (
  [{ seed }]: readonly Task[],
  group: number,
  purpose: "attack-start" | "attack-choice",
  step: number,
): StreamKey => keyOf({ seed, sample: { id: group } }, purpose, step);

/** Ascends the mean loss of the samples. */
export function* fitTo(tasks: readonly Task[], group: number, options: FitOptions, change: Change): Step<void> {
  for (let epoch = 0; epoch < options.epochs; epoch++)
    for (const chosen of batchesOf(tasks, group, epoch, options.samplesPerStep))
      change.step(yield* meanGradient(chosen, change));
}

/** All samples in a new random order, in batches. */
function batchesOf(tasks: readonly Task[], group: number, epoch: number, size: number): Task[][] {
  const order = Array.from(permutation(keyOfSet(tasks, group, "attack-choice", epoch), tasks.length));
  return Array.from({ length: Math.ceil(order.length / size) }, (_, b) =>
    order.slice(b * size, (b + 1) * size).map((i) => tasks[i]),
  );
}

/** d mean loss / d change. */
function* meanGradient(tasks: readonly Task[], change: Change): Step<Float32Array> {
  const replies = yield* replyTo(tasks, change, true);
  const mean = new Float32Array(tasks[0].sample.pixels.length);
  tasks.forEach(({ sample: { pixels } }, k) => {
    const { gradient } = replies[k];
    for (let i = 0; i < mean.length; i++) if (change.moves(pixels, i)) mean[i] += gradient[i] / tasks.length;
  });
  return mean;
}

/** Evaluates each sample with the change. */
function* replyTo(tasks: readonly Task[], change: Change, gradient: boolean): Step<Evaluation[]> {
  const images = tasks.map(({ sample }) => change.apply(sample.pixels));
  const starts = tasks.map(({ goal, sample }) => goal.starts(sample)[0]);
  return yield* evaluateAll(tasks[0], images, starts, gradient, (i) => {
    const { sample, goal } = tasks[i];
    return { sample, target: sample.target ?? goal.label(sample) };
  });
}

/** The changed images, judged. */
export function* judged(tasks: readonly Task[], change: Change): Search<readonly FoundImage[]> {
  const replies = yield* replyTo(tasks, change, false);
  return tasks.map(({ sample, goal }, k) => ({
    image: change.apply(sample.pixels),
    success: goal.succeeded(sample, replies[k]),
  }));
}

/** The samples that a change is fitted on: the first ones, or all. */
export const toFit = (tasks: readonly Task[], first: number): readonly Task[] =>
  first === 0 ? tasks : tasks.slice(0, first);

/** The parameters of a fit. */
export const FIT = {
  epochs: count(10, "passes over the samples"),
  samplesPerStep: count(50, "samples whose mean gradient makes a step"),
  fit: count(0, "the number of samples, from the first, that the change is fitted on; 0: all", { least: 0 }),
};
