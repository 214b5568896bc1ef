/** @file Gradient steps in a ball of L2 that shrinks at fixed times, whatever the search has found.
 *  The closest success counts. Source: Hong et al. 2021, DeepSloth, its attack in L2. */

import { normal } from "../../core/rng.js";
import { intoBall, perturbed } from "../../perturb/ball.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Search } from "../question.js";
import type { Best } from "./best.js";
import { annealed, closestOf } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { keyOf, method, type Task } from "./method.js";

interface ShrinkingOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly lastStepSize: number;
  readonly startRadius: number;
  readonly shrink: number;
  readonly every: number;
}

const attack = (task: Task, options: ShrinkingOptions): Search =>
  closestOf(task, (loss, best) => descend(task, options, loss, best));

function* descend(task: Task, options: ShrinkingOptions, loss: number, best: Best): Search<void> {
  const { pixels } = task.sample;
  const { steps, stepSize, lastStepSize, startRadius, shrink, every } = options;
  const delta = onSphere(normal(keyOf(task, "attack-start", 0), pixels.length), startRadius);
  let at = loss;
  for (let step = 0; step < steps; step++) {
    const image = perturbed(pixels, delta);
    const reply = yield* evaluate(task, image, at);
    at = reply.at;
    best.offer(image, reply);
    const size = annealed(stepSize, lastStepSize, step, steps);
    const gradient = intoBall(gate(reply.gradient, pixels, delta), "l2", 1);
    for (let i = 0; i < delta.length; i++) delta[i] += size * gradient[i];
    intoBall(delta, "l2", startRadius * (1 - shrink) ** Math.floor(step / every));
  }
  const image = perturbed(pixels, delta);
  best.offer(image, yield* evaluate(task, image, at, false));
}

function onSphere(v: Float32Array, radius: number): Float32Array {
  const length = NORMS.l2.distance(v, new Float32Array(v.length));
  return v.map((x) => (x * radius) / length);
}

/** The gradient where [0,1] does not cut the perturbation off. */
const gate = (gradient: Float32Array, pixels: Float32Array, delta: Float32Array): Float32Array =>
  gradient.map((g, i) => (pixels[i] + delta[i] >= 0 && pixels[i] + delta[i] <= 1 ? g : 0));

export const shrinking = method({
  about: "gradient steps in an L2 ball that shrinks at fixed times; the closest success counts",
  source: "Hong et al. 2021, DeepSloth in L2",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2"],
  targeted: true,
  losses: ["cross-entropy", "margin", "scaled-cross-entropy"],
  parameters: {
    steps: count(550, "gradient steps"),
    stepSize: amount(1, "factor of the gradient in the first step; a gradient longer than 1 counts as length 1"),
    lastStepSize: amount(0.01, "factor of the gradient in the last step; it falls along half a cosine"),
    startRadius: amount(1, "radius of the first ball; the start is at random on its sphere"),
    shrink: amount(0.1, "share that the radius loses", { most: 1 }),
    every: count(50, "steps between two losses of radius"),
  },
  start: attack,
});
