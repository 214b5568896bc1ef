/** @file PGD on the mean gradient of several random images: EOT, expectation over transformations
 *  (Athalye et al. 2018). */

import { uniform } from "../../core/rng.js";
import { count, length, randomStart } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";
import { mean, plus } from "./vectors.js";

export const eotPgd = climbing({
  about: "PGD on the mean gradient of several samples, for networks and defences that draw random numbers",
  source: "Athalye et al. 2018; torchattacks' EOTPGD",
  parameters: {
    ...STEPS,
    randomStart: randomStart(true),
    draws: count(2, "gradients a step"),
    noise: length(0, "largest uniform noise on each sample; 0: only the network's own random numbers"),
  },
  way: (_task, values) => ({
    probes: ({ image, key }) => {
      const size = image.length;
      if (values.noise === 0) return Array.from({ length: values.draws }, () => ({ image }));
      const noise = uniform(key, values.draws * size, -values.noise, values.noise);
      return Array.from({ length: values.draws }, (_, k) => ({
        image: plus(image, noise.subarray(k * size, (k + 1) * size)),
      }));
    },
    direction: mean,
  }),
});
