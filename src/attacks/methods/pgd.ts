/** @file Projected gradient steps: PGD (Madry et al. 2018), its form without a random start, BIM
 *  (Kurakin et al. 2017), and its single full step, FGSM (Goodfellow et al. 2015). */

import { count, length, randomStart } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";

export const pgd = climbing({
  about: "steps along the gradient, each projected back into the ball",
  source: "Madry et al. 2018",
  norms: ["linf", "l2", "l1"],
  parameters: { ...STEPS, randomStart: randomStart(true) },
});

export const bim = climbing({
  about: "steps along the sign of the gradient, from the image itself",
  source: "Kurakin et al. 2017",
  parameters: { ...STEPS, randomStart: randomStart(false) },
});

export const fgsm = climbing({
  about: "one step of the whole radius along the gradient",
  source: "Goodfellow et al. 2015",
  norms: ["linf", "l2", "l1"],
  parameters: {
    ...STEPS,
    steps: count(1, "always 1; more steps are pgd", { most: 1 }),
    stepSize: length(({ radius = 0 }) => radius, "length of the step", { usual: "radius" }),
    randomStart: randomStart(false),
  },
});
