/** @file Gradients that hold for moved and resized images too: DI-FGSM (Xie et al. 2019) and
 *  TI-FGSM (Dong et al. 2019). */

import { DynnError } from "../../core/errors.js";
import type { ImageDims } from "../../core/images.js";
import { type StreamKey, uniform } from "../../core/rng.js";
import { gaussian, smooth } from "../../perturb/smooth.js";
import { shrinkAndPad } from "../../perturb/warp.js";
import { amount, count, type ParameterContext, type Values } from "../parameters.js";
import { climbing, type Probe } from "./climb.js";
import { MOMENTUM, Momentum } from "./momentum.js";

interface Diversity {
  /** Smallest width of the shrunk image, as a share. */
  readonly resize: number;
  /** Share of the steps with a transform. */
  readonly probability: number;
}

/** The image, or with a probability the image shrunk and placed somewhere on black. Each sample and
 * each step draws its own transform. */
function diverse(image: Float32Array, dims: ImageDims, key: StreamKey, { resize, probability }: Diversity): Probe {
  const [, height, width] = dims;
  const [use, size, down, right] = uniform(key, 4);
  const least = Math.max(1, Math.floor(resize * width));
  const w = least + Math.floor(size * (width - least));
  const h = Math.max(1, Math.round((height * w) / width));
  if (use >= probability || w === width) return { image };
  const warp = shrinkAndPad(dims, [h, w], Math.floor(down * (height - h)), Math.floor(right * (width - w)));
  return { image: warp.apply(image), back: (gradient) => warp.transpose(gradient) };
}

const diversity = (probability: number) => ({
  resize: amount(0.9, "smallest width of the shrunk image, as a share of the width", { most: 1 }),
  probability: amount(probability, "share of the steps that shrink the image and move it", { most: 1 }),
});

export const dim = climbing({
  about: "momentum with the gradient of an image that is shrunk and moved at random in half of the steps",
  source: "Xie et al. 2019, M-DI2-FGSM; one transform for each sample and step",
  parameters: { ...MOMENTUM, ...diversity(0.5) },
  way: ({ dims }, values) => {
    const momentum = new Momentum(values.decay);
    return {
      probes: ({ image, key }) => [diverse(image, dims, key, values)],
      direction: ([gradient]) => momentum.add(gradient),
    };
  },
});

/** 15 pixels for an image of 224, and fewer for a small one: 5 for one of 32. */
const kernelFor = ({ victim }: ParameterContext): number => {
  const width = Number(victim.model.input.shape.at(-1));
  return Number.isNaN(width) ? 15 : Math.min(15, 2 * Math.floor(width / 16) + 1);
};

const TRANSLATION = {
  ...MOMENTUM,
  decay: amount(0, "weight of the sum of past gradients, each scaled to a mean absolute value of 1"),
  kernel: count(kernelFor, "width of the smoothing, in pixels; an odd number", {
    usual: "5 for an image of 32 pixels; the paper's 15 from 112 pixels on",
  }),
  sigmas: amount(3, "standard deviations from the middle of the kernel to its edge"),
  ...diversity(0),
};

/** A Gaussian over `kernel` pixels, cut off after `sigmas` standard deviations. */
function weightsOf({ kernel, sigmas }: Values<typeof TRANSLATION>): Float64Array {
  const reach = Math.floor(kernel / 2);
  return reach === 0 || sigmas === 0 ? gaussian(reach, 1e6) : gaussian(reach, reach / sigmas);
}

export const tim = climbing({
  about: "steps along the smoothed gradient, which holds for images that are moved a little",
  source: "Dong et al. 2019, TI-FGSM",
  parameters: TRANSLATION,
  check: ({ kernel }, where) => {
    if (kernel % 2 === 0)
      throw new DynnError(
        "attack/config",
        `${where}, kernel: got ${kernel}, expected an odd number. Its middle is one pixel.`,
        { kernel },
      );
  },
  way: ({ dims }, values) => {
    const momentum = new Momentum(values.decay);
    const weights = weightsOf(values);
    return {
      probes: ({ image, key }) => [diverse(image, dims, key, values)],
      direction: ([gradient]) => momentum.add(smooth(gradient, dims, weights, "zero")),
    };
  },
});
