/** @file PGD on a loss of noisy probabilities, which seeks other wrong classes than the
 *  cross-entropy: Jitter (Schwinn et al. 2021, "Exploring misclassifications of robust neural
 *  networks to enhance adversarial attacks"). */

import { normal } from "../../core/rng.js";
import { JITTER } from "../losses/nodes.js";
import { amount, randomStart } from "../parameters.js";
import { climbing, STEPS } from "./climb.js";

export const jitter = climbing({
  about: "PGD on the squared error of noisy probabilities, whose logits have one scale",
  source: "Schwinn et al. 2021",
  losses: ["jitter"],
  parameters: {
    ...STEPS,
    randomStart: randomStart(true),
    scale: amount(10, "largest absolute logit after scaling"),
    deviation: amount(0.1, "standard deviation of the noise on the probabilities"),
  },
  way: ({ sample }, { scale, deviation }) => ({
    extra: (key) => ({
      [JITTER.scale]: Float32Array.of(scale),
      [JITTER.noise]: normal(key, sample.clean[0].length).map((v) => deviation * v),
    }),
  }),
});
