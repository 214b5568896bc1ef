/** @file Sparse steps in L1: SLIDE (Tramèr & Boneh 2019). */

import { keepLargest } from "../../perturb/sparse.js";
import { amount, length, randomStart } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";

/** The signs of the largest gradients. Those that lead out of [0,1] do not count.
 * @param quantile share of the gradients that are left out */
function largestSigns(gradient: Float32Array, image: Float32Array, quantile: number): Float32Array {
  const inside = gradient.map((g, i) => ((image[i] <= 0 && g < 0) || (image[i] >= 1 && g > 0) ? 0 : g));
  const kept = inside.length - Math.ceil(quantile * (inside.length - 1));
  return keepLargest(inside, kept).map(Math.sign);
}

export const slide = climbing({
  about: "steps of one length in the pixels of the largest gradients",
  source: "Tramèr & Boneh 2019",
  norms: ["l1"],
  parameters: {
    ...STEPS,
    stepSize: length(({ radius = 0 }) => radius / 5, "length of a step", { usual: "radius / 5" }),
    randomStart: randomStart(false),
    quantile: amount(0.99, "share of the gradients that a step leaves out", { most: 1 }),
  },
  way: (_, { quantile }) => ({ direction: ([gradient], { image }) => largestSigns(gradient, image, quantile) }),
});
