/** @file The step of the attack of Brendel & Bethge. It is the change that brings an image nearest
 *  to the clean one. It lands on a plane, and stays in a trust region of L2. Each norm has a closed
 *  form with two numbers, and each number is found by a search along one dimension. Source: Brendel
 *  et al. 2019, "Accurate, reliable and fast robustness evaluation", equation 2 and appendix. */

import type { Norm } from "../../schema/norm.js";

/** One step. All arrays have the length of the image. */
export interface StepProblem {
  /** The norm in which the image is to come near. */
  readonly norm: Exclude<Norm, "l0">;
  readonly clean: Float32Array;
  readonly image: Float32Array;
  /** The gradient of the loss at the image. */
  readonly normal: Float32Array;
  /** By how much the change, times the normal, raises the loss. */
  readonly rise: number;
  /** The longest change, in L2. */
  readonly radius: number;
}

/** The problem with a normal of length 1, in terms of the change. */
interface Scaled {
  readonly norm: StepProblem["norm"];
  readonly normal: Float32Array;
  readonly rise: number;
  readonly radius: number;
  /** The change that leads to the clean image. */
  readonly toClean: Float32Array;
  /** The least and the largest changes that keep the image in [0,1]. */
  readonly least: Float32Array;
  readonly most: Float32Array;
}

/** The change of a value before it is cut to [0,1].
 * @param pull a number, the same for all values, times the normal */
type Form = (toClean: number, pull: number) => number;

/** Solutions of: minimise the distance to the clean image plus a multiple of the squared change, on
 * the plane. The nearness 0 asks for the shortest change, and 1 for the nearest image. */
const FORMS: Readonly<Record<StepProblem["norm"], (nearness: number, problem: Scaled) => Form>> = {
  l2: (nearness) => (toClean, pull) => nearness * toClean + pull,
  l1: (nearness, { radius }) => {
    const reach = (radius * nearness) / (1 - nearness);
    return (toClean, pull) => clamp(toClean, pull - reach, pull + reach);
  },
  linf: (nearness, { radius, toClean }) => {
    // No change of the trust region leads farther than this.
    const farthest = radius + toClean.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const most = (1 - nearness) * farthest;
    return (to, pull) => clamp(pull, to - most, to + most);
  },
};

const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high);

/** Halvings of the search over the nearness. */
const HALVINGS = 14;

/** Solves the problem. When the trust region does not reach the plane, the change goes as far
 * towards it as the region allows.
 * @returns the change, float32 [m]; image + change lies in [0,1] up to rounding */
export function trustRegionStep(problem: StepProblem): Float32Array {
  const scaled = scaledOf(problem);
  let factor = scaled.rise;
  const reachable = (nearness: number): Float32Array | undefined => {
    const form = FORMS[scaled.norm](nearness, scaled);
    const found = crossing((at) => riseOf(scaled, form, at), scaled.rise, factor);
    if (found === undefined) return undefined;
    factor = found;
    const change = changeOf(scaled, form, factor);
    return lengthOf(change) <= scaled.radius ? change : undefined;
  };
  let best = reachable(0);
  if (!best) return towardsPlane(scaled);
  const nearest = reachable(1);
  if (nearest) return nearest;
  let [low, high] = [0, 1];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    const change = reachable(middle);
    if (change) [low, best] = [middle, change];
    else high = middle;
  }
  return best;
}

function scaledOf({ norm, clean, image, normal, rise, radius }: StepProblem): Scaled {
  const length = lengthOf(normal) || 1;
  return {
    ...{ norm, radius, normal: normal.map((v) => v / length), rise: rise / length },
    toClean: clean.map((v, i) => v - image[i]),
    least: image.map((v) => -v),
    most: image.map((v) => 1 - v),
  };
}

/** The longest change along the normal in the trust region, towards the plane. */
function towardsPlane(problem: Scaled): Float32Array {
  const { rise, radius } = problem;
  const form = FORMS.l2(0, problem);
  const along = (factor: number): Float32Array => changeOf(problem, form, Math.sign(rise) * factor);
  return along(crossing((factor) => lengthOf(along(factor)), radius, radius) ?? FARTHEST);
}

/** The change of a form, such that the image stays in [0,1]. */
const changeOf = ({ toClean, normal, least, most }: Scaled, form: Form, factor: number): Float32Array =>
  normal.map((v, i) => clamp(form(toClean[i], factor * v), least[i], most[i]));

/** By how much the change raises the loss. */
function riseOf({ toClean, normal, least, most }: Scaled, form: Form, factor: number): number {
  let sum = 0;
  for (let i = 0; i < normal.length; i++)
    sum += normal[i] * clamp(form(toClean[i], factor * normal[i]), least[i], most[i]);
  return sum;
}

/** A factor at which all values are at the end of [0,1]. */
const FARTHEST = 1e6;

/** The share of the target by which a root may miss it. */
const TOLERANCE = 1e-4;

/** Where a rising function reaches a target. Undefined when it does not. The steps are those of the
 * Illinois method.
 * @param start where the search begins */
function crossing(f: (at: number) => number, target: number, start: number): number | undefined {
  const enough = TOLERANCE * Math.abs(target) + 1e-12;
  let [low, gapLow] = [start, f(start) - target];
  let [high, gapHigh] = [low, gapLow];
  const way = gapLow < 0 ? 1 : -1;
  if (Math.abs(gapLow) > enough && way * (f(way * FARTHEST) - target) < -enough) return undefined;
  for (let width = Math.abs(start) + 1e-9; way * gapHigh < -enough && width < FARTHEST; width *= 4) {
    [low, gapLow] = [high, gapHigh];
    high = start + way * width;
    gapHigh = f(high) - target;
  }
  for (let step = 0; step < 100 && Math.abs(gapHigh) > enough; step++) {
    const middle = high - (gapHigh * (high - low)) / (gapHigh - gapLow);
    const gap = f(middle) - target;
    if (gap * gapHigh < 0) [low, gapLow] = [high, gapHigh];
    else gapLow /= 2;
    [high, gapHigh] = [middle, gap];
  }
  return high;
}

function lengthOf(v: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i] ** 2;
  return Math.sqrt(sum);
}
