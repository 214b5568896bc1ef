/** @file Decoupled direction and norm: gradient steps on a sphere that shrinks after a success and
 *  grows after a failure. Source: Rony et al. 2019, "Decoupling direction and norm for efficient
 *  gradient-based L2 adversarial attacks and defenses", algorithm 1. */

import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Search } from "../question.js";
import type { Best } from "./best.js";
import { annealed, closestOf } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface DdnOptions {
  readonly steps: number;
  readonly gamma: number;
  readonly startNorm: number;
}

const attack = (task: Task, options: DdnOptions): Search =>
  closestOf(task, (loss, best) => walk(task, options, loss, best));

function* walk(task: Task, options: DdnOptions, loss: number, best: Best): Search<void> {
  const { pixels } = task.sample;
  const image = Float32Array.from(pixels);
  let [radius, at] = [options.startNorm, loss];
  for (let step = 0; step < options.steps; step++) {
    const evaluation = yield* evaluate(task, image, at);
    at = evaluation.at;
    const success = best.offer(image, evaluation);
    NORMS.l2.step(image, evaluation.gradient, annealed(1, 0.01, step, options.steps));
    radius = Math.min(radius * (success ? 1 - options.gamma : 1 + options.gamma), Math.sqrt(pixels.length));
    ontoSphere(image, pixels, radius);
  }
}

/** Moves the image along its line from the clean image to the sphere, and then into [0,1]. */
function ontoSphere(image: Float32Array, clean: Float32Array, radius: number): void {
  const distance = NORMS.l2.distance(image, clean);
  const factor = distance === 0 ? 0 : radius / distance;
  for (let i = 0; i < image.length; i++) image[i] = Math.min(Math.max(clean[i] + factor * (image[i] - clean[i]), 0), 1);
}

export const ddn = method({
  about: "gradient steps on a sphere around the image, which shrinks after a success and grows after a failure",
  source: "Rony et al. 2019",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2"],
  targeted: true,
  // The paper ascends the cross-entropy, whose gradient vanishes where logits are large.
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"],
  parameters: {
    steps: count(100, "gradient steps"),
    gamma: amount(0.05, "share by which the sphere shrinks or grows", { most: 1 }),
    startNorm: amount(1, "first radius of the sphere, in L2"),
  },
  start: attack,
});
