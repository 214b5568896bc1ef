/** @file PGD on the divergence from the clean output, without a label: the attack of TRADES (Zhang
 *  et al. 2019). */

import { normal } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";
import { keyOf, type Task } from "./method.js";

/** The image plus normal noise. At the image itself the divergence has no gradient. */
function nearby(task: Task, deviation: number, restart: number): Float32Array {
  const { sample, budget } = task;
  const noise = normal(keyOf(task, "attack-start", restart), sample.pixels.length);
  const image = sample.pixels.map((p, i) => p + deviation * noise[i]);
  NORMS[budget.norm].project(image, sample.pixels, budget.radius ?? Number.POSITIVE_INFINITY);
  return image;
}

export const tpgd = climbing({
  about: "PGD on the divergence from the clean output, which needs no label",
  source: "Zhang et al. 2019, TRADES",
  targeted: false,
  losses: ["divergence"],
  retriesVanished: false,
  parameters: { ...STEPS, deviation: amount(0.001, "standard deviation of the noise of the start", { most: 1 }) },
  start: (task, { deviation }, restart) => nearby(task, deviation, restart),
});
