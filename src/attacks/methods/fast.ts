/** @file Few gradient steps after a random one: R-FGSM (Tramer et al. 2018) and FFGSM, which is
 *  FGSM for fast adversarial training (Wong et al. 2020). */

import { normal } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { count, length, randomStart } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";
import { keyOf, type Task } from "./method.js";

/** The image after a step along random signs. */
function randomStep(task: Task, size: number, restart: number): Float32Array {
  const { sample, budget } = task;
  const image = Float32Array.from(sample.pixels);
  NORMS.linf.step(image, normal(keyOf(task, "attack-start", restart), image.length), size);
  NORMS.linf.project(image, sample.pixels, budget.radius ?? size);
  return image;
}

export const rfgsm = climbing({
  about: "a step along random signs, then steps along the sign of the gradient",
  source: "Tramer et al. 2018, R+FGSM; its form of several steps in torchattacks",
  parameters: {
    ...STEPS,
    startSize: length(({ before }) => Number(before.stepSize), "length of the random step", { usual: "stepSize" }),
  },
  start: (task, { startSize }, restart) => randomStep(task, startSize, restart),
});

export const ffgsm = climbing({
  about: "one step of 1.25 radii from a random point of the ball, projected back",
  source: "Wong et al. 2020",
  parameters: {
    ...STEPS,
    steps: count(1, "always 1; more steps are pgd", { most: 1 }),
    stepSize: length(({ radius = 0 }) => 1.25 * radius, "length of the step", { usual: "1.25 radius" }),
    randomStart: randomStart(true),
  },
});
