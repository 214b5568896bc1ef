/** @file Projections of a perturbation itself onto the balls of the norms, without [0,1]. One
 *  perturbation for many images has no clean image of its own. */

import type { Norm } from "../schema/norm.js";
import { NORMS } from "./norms.js";
import { intoL1Ball, keepLargest } from "./sparse.js";

/** Projects a perturbation onto the ball around zero, in place.
 * @param v float32 [m], in pixel units of [0,1]
 * @param radius in the units of the norm
 * @returns v */
export const intoBall = (v: Float32Array, norm: Norm, radius: number): Float32Array => PROJECT[norm](v, radius);

const PROJECT: Readonly<Record<Norm, (v: Float32Array, radius: number) => Float32Array>> = {
  linf: (v, radius) => {
    for (let i = 0; i < v.length; i++) v[i] = Math.min(Math.max(v[i], -radius), radius);
    return v;
  },
  l2: (v, radius) => {
    const length = NORMS.l2.distance(v, new Float32Array(v.length));
    if (length > radius) for (let i = 0; i < v.length; i++) v[i] *= radius / length;
    return v;
  },
  l1: intoL1Ball,
  l0: keepLargest,
};

/** The image with a perturbation, within [0,1].
 * @param image float32 [m] in [0,1]
 * @param v float32 [m] */
export const perturbed = (image: Float32Array, v: Float32Array): Float32Array =>
  image.map((pixel, i) => Math.min(Math.max(pixel + v[i], 0), 1));
