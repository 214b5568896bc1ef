/** @file One perturbation for all images: steps along the mean gradient of batches of samples.
 *  Sources: Shafahi et al. 2020, "Universal adversarial training"; Hong et al. 2021 (DeepSloth) with
 *  the goal slowdown. `class-universal` has one perturbation for each class (Zhang et al. 2020,
 *  CD-UAP). */

import { permutation, uniform } from "../../core/rng.js";
import { intoBall, perturbed } from "../../perturb/ball.js";
import { NORMS } from "../../perturb/norms.js";
import { count, length, type Values } from "../parameters.js";
import type { Evaluation, FoundImage, Question, Search } from "../question.js";
import { evaluateAll } from "./evaluate.js";
import { keyOf, method, type Task } from "./method.js";

interface UniversalOptions {
  readonly epochs: number;
  readonly samplesPerStep: number;
  readonly stepSize: number;
  readonly startSize: number;
  readonly fit: number;
}

type Step<T> = Generator<readonly Question[], T, readonly Evaluation[]>;

/** Random numbers of a set do not belong to one sample. They hang on the group's number. */
const keyOfSet = (
  [{ seed }]: readonly Task[],
  group: number,
  purpose: "attack-start" | "attack-choice",
  step: number,
) => keyOf({ seed, sample: { id: group } }, purpose, step);

/** Ascends the mean loss of the samples. Returns the last perturbation. */
function* fitted(tasks: readonly Task[], group: number, options: UniversalOptions): Step<Float32Array> {
  const [{ budget, sample }] = tasks;
  const radius = budget.radius ?? Number.POSITIVE_INFINITY;
  const { startSize, epochs, stepSize } = options;
  const delta = intoBall(
    uniform(keyOfSet(tasks, group, "attack-start", 0), sample.pixels.length, -startSize, startSize),
    budget.norm,
    radius,
  );
  for (let epoch = 0; epoch < epochs; epoch++)
    for (const chosen of batchesOf(tasks, group, epoch, options.samplesPerStep)) {
      const gradient = yield* meanGradient(chosen, delta);
      NORMS[budget.norm].step(delta, gradient, stepSize);
      intoBall(delta, budget.norm, radius);
    }
  return delta;
}

/** All samples in a new random order, in batches. */
function batchesOf(tasks: readonly Task[], group: number, epoch: number, size: number): Task[][] {
  const order = Array.from(permutation(keyOfSet(tasks, group, "attack-choice", epoch), tasks.length));
  return Array.from({ length: Math.ceil(order.length / size) }, (_, b) =>
    order.slice(b * size, (b + 1) * size).map((i) => tasks[i]),
  );
}

/** d mean loss / d delta. It is zero where [0,1] cuts the perturbation of an image off. */
function* meanGradient(tasks: readonly Task[], delta: Float32Array): Step<Float32Array> {
  const replies = yield* replyTo(tasks, delta, true);
  const mean = new Float32Array(delta.length);
  tasks.forEach(({ sample: { pixels } }, k) => {
    const { gradient } = replies[k];
    for (let i = 0; i < mean.length; i++) {
      const moved = pixels[i] + delta[i];
      if (moved >= 0 && moved <= 1) mean[i] += gradient[i] / tasks.length;
    }
  });
  return mean;
}

/** Evaluates each sample with the perturbation. */
function* replyTo(tasks: readonly Task[], delta: Float32Array, gradient: boolean): Step<Evaluation[]> {
  const images = tasks.map(({ sample }) => perturbed(sample.pixels, delta));
  const starts = tasks.map(({ goal, sample }) => goal.starts(sample)[0]);
  return yield* evaluateAll(tasks[0], images, starts, gradient, (i) => ({ sample: tasks[i].sample }));
}

/** The perturbed images, judged. */
export function* judged(tasks: readonly Task[], delta: Float32Array): Search<readonly FoundImage[]> {
  const replies = yield* replyTo(tasks, delta, false);
  return tasks.map(({ sample, goal }, k) => ({
    image: perturbed(sample.pixels, delta),
    success: goal.succeeded(sample, replies[k].logits),
  }));
}

/** The samples that a perturbation is fitted on: the first ones, or all. */
export const toFit = (tasks: readonly Task[], first: number): readonly Task[] =>
  first === 0 ? tasks : tasks.slice(0, first);

function* attack(tasks: readonly Task[], options: UniversalOptions): Search<readonly FoundImage[]> {
  return yield* judged(tasks, yield* fitted(toFit(tasks, options.fit), 0, options));
}

/** The attack for each class alone. A class without a sample to fit on keeps its images. */
function* attackClasses(tasks: readonly Task[], options: UniversalOptions): Search<readonly FoundImage[]> {
  const found = tasks.map(({ sample }): FoundImage => ({ image: sample.pixels, success: false }));
  const classOf = ({ goal, sample }: Task) => goal.label(sample);
  for (const group of new Set(tasks.map(classOf))) {
    const known = toFit(tasks, options.fit).filter((task) => classOf(task) === group);
    if (known.length === 0) continue;
    const delta = yield* fitted(known, group, options);
    const places = tasks.flatMap((task, i) => (classOf(task) === group ? [i] : []));
    const results = yield* judged(
      places.map((i) => tasks[i]),
      delta,
    );
    places.forEach((place, k) => {
      found[place] = results[k];
    });
  }
  return found;
}

export const fit = count(0, "the number of samples, from the first, that the perturbation is fitted on; 0: all", {
  least: 0,
});

const shared = {
  access: "gradient" as const,
  scope: "set" as const,
  budget: "radius" as const,
  norms: ["linf", "l2", "l1"] as const,
  targeted: true,
  losses: ["cross-entropy", "margin", "scaled-cross-entropy"] as const,
  parameters: {
    epochs: count(10, "passes over the samples"),
    samplesPerStep: count(50, "samples whose mean gradient makes a step"),
    stepSize: length(({ radius = 0 }) => radius / 8, "length of a step", { usual: "radius / 8" }),
    startSize: length(0, "each value starts at random within this distance of 0, and in the ball"),
    fit,
  },
  /** DeepSloth's settings. */
  defaultsFor: (goal: string): Readonly<Record<string, number>> =>
    goal === "slowdown" ? { epochs: 20, stepSize: 0.005, startSize: 0.002 } : {},
};

type Options = Values<typeof shared.parameters>;

export const universalPgd = method({
  ...shared,
  about: "one perturbation for all images: steps along the mean gradient of batches; the last one counts",
  source: "Shafahi et al. 2020; Hong et al. 2021",
  start: (tasks: readonly Task[], options: Options) => attack(tasks, options),
});

export const classUniversal = method({
  ...shared,
  about: "one perturbation for each class, found as by universal-pgd",
  source: "Zhang et al. 2020, CD-UAP",
  start: (tasks: readonly Task[], options: Options) => attackClasses(tasks, options),
});
