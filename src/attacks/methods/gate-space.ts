/** @file The variables of published attacks on gates. As published, w with image = (tanh(c (u + w))
 *  + 1) / 2 and u the normalised clean image. w = 0 is an image of strong contrast, not the clean
 *  one, because the code applies no inverse of tanh. With a radius, the pixels themselves. */
import { NORMS } from "../../perturb/norms.js";
import type { Task } from "./method.js";

/** A variable, and the image that it stands for. */
export interface GateSpace {
  /** The image, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** Squared distance to the clean image in normalised space. */
  distance(): number;
  /** The gradient of {@link distance}, by value of the image. */
  distanceSlope(): Float64Array;
  /** Turns a gradient of the image into one of the variable. */
  inSpace(gradient: ArrayLike<number>): Float64Array;
  /** Moves the variable against these steps. */
  move(steps: Float64Array): void;
}

/** Mean and standard deviation of each value of an image. */
export interface Scales {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** The normalisation of a model by value of an image. A model without one has the mean 1/2 and the
 * standard deviation 1/4. */
export function scalesOf(
  normalization: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined,
  [channels, height, width]: Task["dims"],
): Scales {
  const by = (values: readonly number[] | undefined, otherwise: number) =>
    Float64Array.from({ length: channels * height * width }, (_, i) => {
      const channel = Math.floor(i / (height * width));
      return values?.[channel] ?? values?.[0] ?? otherwise;
    });
  return { mean: by(normalization?.mean, 0.5), std: by(normalization?.std, 0.25) };
}

/** The part that both variables share: distances in normalised space. */
function distances(image: Float32Array, clean: Float32Array, { std }: Scales) {
  return {
    image,
    distance: () => image.reduce((sum, x, i) => sum + ((x - clean[i]) / std[i]) ** 2, 0),
    distanceSlope: () => Float64Array.from(image, (x, i) => (2 * (x - clean[i])) / std[i] ** 2),
  };
}

/** The published variable. It starts at w = 0. */
export function contrastSpace(clean: Float32Array, scales: Scales, contrast: number): GateSpace {
  const { mean, std } = scales;
  const inner = Float64Array.from(clean, (x, i) => (contrast * (x - mean[i])) / std[i]);
  const image = Float32Array.from(inner, sigmoidOfTwice);
  return {
    ...distances(image, clean, scales),
    inSpace: (gradient) => Float64Array.from(gradient, (g, i) => g * contrast * 2 * image[i] * (1 - image[i])),
    move: (steps) => {
      for (let i = 0; i < inner.length; i++) {
        inner[i] = inner[i] - contrast * steps[i];
        image[i] = sigmoidOfTwice(inner[i]);
      }
    },
  };
}

/** (tanh(x) + 1) / 2. */
const sigmoidOfTwice = (x: number): number => 1 / (1 + Math.exp(-2 * x));

/** The pixels, within the radius of the budget. They start at the clean image. */
export function ballSpace({ sample, budget }: Pick<Task, "sample" | "budget">, scales: Scales): GateSpace {
  const image = Float32Array.from(sample.pixels);
  return {
    ...distances(image, sample.pixels, scales),
    inSpace: (gradient) => Float64Array.from(gradient),
    move: (steps) => {
      for (let i = 0; i < image.length; i++) image[i] -= steps[i];
      NORMS[budget.norm].project(image, sample.pixels, budget.radius ?? Number.POSITIVE_INFINITY);
    },
  };
}
