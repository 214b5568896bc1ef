/** @file Gradient steps with momentum: MI-FGSM (Dong et al. 2018), and with gradients from ahead or
 *  from darker copies of the image, NI-FGSM, SIM and SI-NI-FGSM (Lin et al. 2020). */

import { amount, count, randomStart } from "../parameters.js";
import { climbing, type Probe, STEPS } from "./climb.js";
import { mean, ofMeanOne, plus } from "./vectors.js";

/** The sum of past gradients, each of mean absolute value 1. Older ones weigh less. */
export class Momentum {
  readonly #decay: number;
  #sum: Float32Array | undefined;

  constructor(decay: number) {
    this.#decay = decay;
  }

  /** The sum with one gradient more. */
  add(gradient: Float32Array): Float32Array {
    const scaled = ofMeanOne(gradient);
    this.#sum = this.#sum ? plus(scaled, this.#sum, this.#decay) : Float32Array.from(scaled);
    return this.#sum;
  }

  /** Where a step along the decayed sum would lead, outside the ball or not. */
  ahead(image: Float32Array, stepSize: number): Float32Array {
    return this.#sum ? plus(image, this.#sum, this.#decay * stepSize) : image;
  }
}

/** The parameters of methods with momentum. */
export const MOMENTUM = {
  ...STEPS,
  randomStart: randomStart(false),
  decay: amount(1, "weight of the sum of past gradients, each scaled to a mean absolute value of 1"),
};

/** The image and its darker copies: image / 2^i. */
const scales = (image: Float32Array, copies: number): Probe[] =>
  Array.from({ length: copies }, (_, i) =>
    i === 0 ? { image } : { image: image.map((v) => v / 2 ** i), back: (gradient) => gradient.map((g) => g / 2 ** i) },
  );

const copies = count(5, "copies of the image, each half as bright as the one before");

export const mim = climbing({
  about: "steps along a sum of past gradients, so that one step alone decides less",
  source: "Dong et al. 2018, MI-FGSM",
  norms: ["linf", "l2"],
  parameters: MOMENTUM,
  way: (_, { decay }) => {
    const momentum = new Momentum(decay);
    return { direction: ([gradient]) => momentum.add(gradient) };
  },
});

export const nim = climbing({
  about: "momentum with the gradient of the image to which the momentum alone would lead",
  source: "Lin et al. 2020, NI-FGSM",
  parameters: MOMENTUM,
  way: (_, { decay, stepSize }) => {
    const momentum = new Momentum(decay);
    return {
      probes: ({ image }) => [{ image: momentum.ahead(image, stepSize) }],
      direction: ([gradient]) => momentum.add(gradient),
    };
  },
});

export const sim = climbing({
  about: "momentum with the mean gradient of darker copies of the image",
  source: "Lin et al. 2020, SIM",
  parameters: { ...MOMENTUM, copies },
  way: (_, { decay, copies }) => {
    const momentum = new Momentum(decay);
    return {
      probes: ({ image }) => scales(image, copies),
      direction: (gradients) => momentum.add(mean(gradients)),
    };
  },
});

export const sini = climbing({
  about: "the two before together: darker copies of the image to which the momentum would lead",
  source: "Lin et al. 2020, SI-NI-FGSM",
  parameters: { ...MOMENTUM, copies },
  way: (_, { decay, stepSize, copies }) => {
    const momentum = new Momentum(decay);
    return {
      probes: ({ image }) => scales(momentum.ahead(image, stepSize), copies),
      direction: (gradients) => momentum.add(mean(gradients)),
    };
  },
});
