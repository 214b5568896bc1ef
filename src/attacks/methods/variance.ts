/** @file Momentum with gradients that the variance of the neighbourhood corrects: VMI-FGSM and
 *  VNI-FGSM (Wang & He 2021). */

import type { StreamKey } from "../../core/rng.js";
import { uniform } from "../../core/rng.js";
import { amount, count } from "../parameters.js";
import { climbing, type Probe } from "./climb.js";
import { MOMENTUM, Momentum } from "./momentum.js";
import { mean, plus } from "./vectors.js";

const VARIANCE = {
  ...MOMENTUM,
  neighbours: count(5, "random images around the iterate"),
  beta: amount(1.5, "largest distance of a neighbour, in radii"),
};

/** Images around an image, uniform in a cube. */
function neighbours(image: Float32Array, count: number, reach: number, key: StreamKey): Probe[] {
  const size = image.length;
  const noise = uniform(key, count * size, -reach, reach);
  return Array.from({ length: count }, (_, k) => ({ image: plus(image, noise.subarray(k * size, (k + 1) * size)) }));
}

/** The mean gradient of the neighbours less that of the image, from the step before. */
class Variance {
  #value: Float32Array | undefined;

  /** The gradient of the image with the correction of the step before. */
  corrected([own, ...around]: readonly Float32Array[]): Float32Array {
    const result = this.#value ? plus(own, this.#value) : own;
    this.#value = plus(mean(around), own, -1);
    return result;
  }
}

export const vmi = climbing({
  about: "momentum, with each gradient corrected by those around the iterate before",
  source: "Wang & He 2021, VMI-FGSM",
  parameters: VARIANCE,
  way: ({ budget: { radius = 0 } }, values) => {
    const momentum = new Momentum(values.decay);
    const variance = new Variance();
    return {
      probes: ({ image, key }) => [{ image }, ...neighbours(image, values.neighbours, values.beta * radius, key)],
      direction: (gradients) => momentum.add(variance.corrected(gradients)),
    };
  },
});

export const vni = climbing({
  about: "the same correction, with the gradient of the image to which the momentum would lead",
  source: "Wang & He 2021, VNI-FGSM",
  parameters: VARIANCE,
  way: ({ budget: { radius = 0 } }, values) => {
    const momentum = new Momentum(values.decay);
    const variance = new Variance();
    return {
      probes: ({ image, key }) => [
        { image: momentum.ahead(image, values.stepSize) },
        ...neighbours(image, values.neighbours, values.beta * radius, key),
      ],
      direction: (gradients) => momentum.add(variance.corrected(gradients)),
    };
  },
});
