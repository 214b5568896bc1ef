/** @file How far an image may move, in pixel units (inputs in [0,1]), and the geometry of the norms
 *  on arrays. `step.ts` has the same geometry as graph nodes. Source: Madry et al. 2018 (Linf and
 *  L2 steps and projections). */

import { normal, permutation, type StreamKey, uniform } from "../core/rng.js";
import type { Norm } from "../schema/norm.js";
import { intoL1Ball, keepLargest } from "./sparse.js";

/** A norm and a radius. A radius has no meaning without its norm. Without a radius, any distance is
 * allowed, and a smaller one is better. */
export interface Budget {
  /** How the distance from the clean image is measured. */
  readonly norm: Norm;
  /** Largest distance from the clean image, in pixel units of [0,1]. Undefined: any distance. */
  readonly radius: number | undefined;
}

/** The one check of a radius or of the length of a step, for options, attack files and calls.
 * Pixels lie in [0,1]. So no two images are farther apart than 1 in Linf, than the root of the
 * number of pixel values in L2, and than their number in L1 and L0.
 * @param size pixel values of an image, over all channels. The default is any number */
export const isRadius = (radius: number, norm: Norm, size = Number.POSITIVE_INFINITY): boolean =>
  radius >= 0 && radius <= largestRadius(norm, size) && Number.isFinite(radius);

/** The largest distance of two images with pixels in [0,1]. */
export const largestRadius = (norm: Norm, size: number): number => {
  if (norm === "linf") return 1;
  return norm === "l2" ? Math.sqrt(size) : size;
};

/** The functions of a norm that attacks need. */
export interface NormDef {
  /** Distance of two images, in pixel units. */
  readonly distance: (a: Float32Array, b: Float32Array) => number;
  /** Move `image` by `size` along the steepest ascent of this norm, in place. */
  readonly step: (image: Float32Array, gradient: Float32Array, size: number) => void;
  /** The largest increase of a linear function with this gradient, per unit of distance: the dual
   * norm. In L0, one value changes by 1. */
  readonly dual: (gradient: Float32Array) => number;
  /** Project `image` into the ball around `clean`, then into [0,1], in place. */
  readonly project: (image: Float32Array, clean: Float32Array, radius: number) => void;
  /** A random point of the ball around `clean`, within [0,1]. */
  readonly start: (clean: Float32Array, radius: number, key: StreamKey) => Float32Array;
}

const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high);
const clamp01 = (v: number): number => clamp(v, 0, 1);

export const linf: NormDef = {
  distance: (a, b) => {
    let most = 0;
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
    return most;
  },
  step: (image, gradient, size) => {
    for (let i = 0; i < image.length; i++) image[i] += size * Math.sign(gradient[i]);
  },
  dual: (gradient) => gradient.reduce((sum, g) => sum + Math.abs(g), 0),
  project: (image, clean, radius) => {
    for (let i = 0; i < image.length; i++) {
      const c = clean[i];
      image[i] = clamp01(clamp(image[i], c - radius, c + radius));
    }
  },
  start: (clean, radius, key) => {
    const image = uniform(key, clean.length, -radius, radius);
    for (let i = 0; i < image.length; i++) image[i] = clamp01(clean[i] + image[i]);
    return image;
  },
};

export const l2: NormDef = {
  distance: (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
    return Math.sqrt(sum);
  },
  step: (image, gradient, size) => {
    const length = lengthOf(gradient);
    if (length === 0) return;
    for (let i = 0; i < image.length; i++) image[i] += (size * gradient[i]) / length;
  },
  dual: lengthOf,
  project: (image, clean, radius) => {
    const distance = l2.distance(image, clean);
    const scale = distance > radius ? radius / distance : 1;
    for (let i = 0; i < image.length; i++) {
      const c = clean[i];
      image[i] = clamp01(scale === 1 ? image[i] : c + scale * (image[i] - c));
    }
  },
  start: (clean, radius, key) => {
    const direction = normal(key, clean.length);
    const reach = radius * uniform({ ...key, purpose: "attack-noise" }, 1)[0] ** (1 / clean.length);
    const scale = reach / lengthOf(direction);
    return clean.map((c, i) => clamp01(c + scale * direction[i]));
  },
};

export const l1: NormDef = {
  distance: (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
    return sum;
  },
  step: (image, gradient, size) => {
    let length = 0;
    for (let i = 0; i < image.length; i++) length += Math.abs(gradient[i]);
    if (length === 0) return;
    for (let i = 0; i < image.length; i++) image[i] += (size * gradient[i]) / length;
  },
  dual: largestOf,
  project: (image, clean, radius) => clipAround(image, clean, intoL1Ball(differenceOf(image, clean), radius)),
  // A point of the simplex by exponential gaps, times a random reach. Signs are random.
  start: (clean, radius, key) => {
    const draws = uniform(key, 2 * clean.length);
    const gaps = clean.map((_, i) => -Math.log(1 - draws[i]));
    const total = gaps.reduce((sum, gap) => sum + gap, 0);
    const reach = radius * uniform({ ...key, purpose: "attack-noise" }, 1)[0] ** (1 / clean.length);
    return clean.map((c, i) => clamp01(c + ((draws[clean.length + i] < 0.5 ? -1 : 1) * reach * gaps[i]) / total));
  },
};

/** The number of changed values. */
export const l0: NormDef = {
  distance: (a, b) => {
    let changed = 0;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) changed++;
    return changed;
  },
  step: l2.step,
  dual: largestOf,
  project: (image, clean, radius) => clipAround(image, clean, keepLargest(differenceOf(image, clean), radius)),
  start: (clean, radius, key) => {
    const values = uniform(key, clean.length);
    const order = permutation({ ...key, purpose: "attack-noise" }, clean.length);
    const image = Float32Array.from(clean);
    for (let k = 0; k < Math.min(radius, clean.length); k++) image[order[k]] = values[order[k]];
    return image;
  },
};

const differenceOf = (image: Float32Array, clean: Float32Array): Float32Array => image.map((v, i) => v - clean[i]);

/** Writes clean + difference into the image, within [0,1]. An unchanged value stays exactly the
 * clean one. */
function clipAround(image: Float32Array, clean: Float32Array, difference: Float32Array): void {
  for (let i = 0; i < image.length; i++) image[i] = difference[i] === 0 ? clean[i] : clamp01(clean[i] + difference[i]);
}

function largestOf(v: Float32Array): number {
  let most = 0;
  for (const x of v) most = Math.max(most, Math.abs(x));
  return most;
}

function lengthOf(v: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] ** 2;
  return Math.sqrt(sum);
}

/** The functions of each norm. */
export const NORMS = { linf, l2, l1, l0 } as const satisfies Record<Norm, NormDef>;
