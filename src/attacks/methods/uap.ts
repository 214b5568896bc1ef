/** @file The universal adversarial perturbation: for one image after the other that it does not
 *  fool yet, DeepFool's change of that image is added, and the sum is projected into the ball.
 *  Source: Moosavi-Dezfooli et al. 2017, "Universal adversarial perturbations", algorithm 1. */

import { permutation } from "../../core/rng.js";
import { intoBall, perturbed } from "../../perturb/ball.js";
import { amount, count } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import type { Sample } from "../sample.js";
import { type DeepFoolOptions, deepfoolSearch } from "./deepfool.js";
import { keyOf, method, type Task } from "./method.js";
import { FIT, judged, toFit } from "./universal.js";
import { perturbation } from "./universal-pgd.js";

interface UapOptions extends DeepFoolOptions {
  readonly epochs: number;
  readonly foolRate: number;
  readonly fit: number;
}

function* attack(tasks: readonly Task[], options: UapOptions): Search<readonly FoundImage[]> {
  const [{ budget, seed, sample }] = tasks;
  const fitted = toFit(tasks, options.fit);
  const v = new Float32Array(sample.pixels.length);
  const change = perturbation(budget, v);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = permutation(keyOf({ seed, sample: { id: 0 } }, "attack-choice", epoch), fitted.length);
    for (const i of order) {
      yield* asSample(extend(fitted[i], v, options), fitted[i].sample);
      intoBall(v, budget.norm, budget.radius ?? Number.POSITIVE_INFINITY);
    }
    const found = yield* judged(fitted, change);
    if (found.filter(({ success }) => success).length >= options.foolRate * fitted.length) break;
  }
  return yield* judged(tasks, change);
}

/** Adds DeepFool's change of the perturbed image. It is zero where the image meets the goal
 * already, and nothing is added where DeepFool fails. */
function* extend(task: Task, v: Float32Array, options: DeepFoolOptions): Search<void> {
  const pixels = perturbed(task.sample.pixels, v);
  const budget = { norm: task.budget.norm, radius: undefined };
  const { image, success } = yield* deepfoolSearch({ ...task, sample: { ...task.sample, pixels }, budget }, options);
  if (success) for (let i = 0; i < v.length; i++) v[i] += image[i] - pixels[i];
}

/** A search for one sample, within a search for many. */
function* asSample<T>(search: Search<T>, sample: Sample): Search<T> {
  let step = search.next();
  while (!step.done) step = search.next(yield step.value.map((question) => ({ ...question, sample })));
  return step.value;
}

export const uap = method({
  about: "one perturbation for all images: DeepFool's changes of images that are not fooled yet, added up",
  source: "Moosavi-Dezfooli et al. 2017",
  access: "gradient",
  scope: "set",
  budget: "radius",
  norms: ["linf", "l2"],
  targeted: false,
  losses: ["difference"],
  aboutClasses: true,
  parameters: {
    foolRate: amount(0.8, "share of the samples to fool, at which the search ends", { most: 1 }),
    epochs: count(10, "most passes over the samples"),
    fit: FIT.fit,
    steps: count(50, "most steps of DeepFool for an image"),
    candidates: count(10, "number of most likely classes, with the label, whose boundaries count", { least: 2 }),
    overshoot: amount(0.02, "share of a move that is added to it"),
  },
  start: (tasks: readonly Task[], options) => attack(tasks, options),
});
