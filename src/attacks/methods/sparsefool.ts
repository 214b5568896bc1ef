/** @file SparseFool: moves single values until the plane of DeepFool's boundary is crossed, and
 *  starts again from there until the goal is met. Source: Modas et al. 2019, "SparseFool: a few
 *  pixels make a big difference", algorithms 1 and 2, and its published code. */

import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { closestOf } from "./closest.js";
import { approach } from "./deepfool.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface SparseFoolOptions {
  readonly steps: number;
  readonly lambda: number;
  readonly overshoot: number;
  readonly candidates: number;
}

/** A linear model of the boundary. */
interface Plane {
  /** A point of the plane. */
  readonly point: Float32Array;
  /** Its normal, of any length, towards the images that meet the goal. */
  readonly normal: Float32Array;
  /** The class on the other side. */
  readonly rival: number;
}

/** How DeepFool looks for each plane, as in the published code. */
const INNER = { steps: 50, overshoot: 0.02 };

/** How far beyond a plane the last value goes, along the normal. */
const PAST_PLANE = 1e-3;

const attack = (task: Task, options: SparseFoolOptions): Search =>
  closestOf(task, (loss, best) => walk(task, options, loss, best));

function* walk(task: Task, options: SparseFoolOptions, loss: number, best: Best): Search<void> {
  const { pixels } = task.sample;
  let [sparse, at] = [pixels, loss];
  for (let step = 0; step < options.steps; step++) {
    const plane = yield* planeFrom(task, options, sparse, at);
    // Each plane is crossed from the last image. From the clean image, the values that earlier
    // planes moved would be lost, and the walk would go in circles.
    sparse = acrossPlane(sparse, plane);
    const image = beyond(pixels, sparse, 1 + options.overshoot);
    const evaluation = yield* evaluate(task, image, at, false, { target: plane.rival });
    if (best.offer(image, evaluation)) return;
    at = evaluation.at;
  }
}

/** The plane through the point at lambda times DeepFool's move. Its normal is the gradient where
 * DeepFool crossed the boundary. */
function* planeFrom(
  task: Task,
  { lambda, candidates }: SparseFoolOptions,
  from: Float32Array,
  loss: number,
): Search<Plane> {
  const dense: Task = { ...task, budget: { norm: "l2", radius: undefined } };
  const { image, rival } = yield* approach(dense, { ...INNER, candidates }, { from, loss }, new Best(dense));
  const { gradient } = yield* evaluate(task, image, loss, true, { target: rival });
  const factor = lambda / (1 + INNER.overshoot);
  return { point: from.map((x, i) => x + factor * (image[i] - x)), normal: Float32Array.from(gradient), rival };
}

/** The image after moves of the values of the largest slopes, one after the other, until it is
 * beyond the plane. Each value goes as far as the plane needs and [0,1] allows. */
function acrossPlane(from: Float32Array, { point, normal }: Plane): Float32Array {
  const length = NORMS.l2.dual(normal);
  const moved = Float32Array.from(from);
  let left = PAST_PLANE;
  for (let i = 0; i < from.length; i++) left += ((point[i] - from[i]) * normal[i]) / length;
  for (const i of bySlope(normal)) {
    const slope = normal[i] / length;
    if (!(left > 0 && slope !== 0)) break;
    moved[i] = Math.min(Math.max(from[i] + left / slope, 0), 1);
    left -= (moved[i] - from[i]) * slope;
  }
  return moved;
}

/** The places of the values, the steepest first. */
const bySlope = (normal: Float32Array): number[] =>
  Array.from(normal, (_, i) => i).sort((a, b) => Math.abs(normal[b]) - Math.abs(normal[a]) || a - b);

/** The image at a multiple of its move from the clean image, within [0,1]. */
const beyond = (clean: Float32Array, image: Float32Array, factor: number): Float32Array =>
  clean.map((c, i) => (image[i] === c ? c : Math.min(Math.max(c + factor * (image[i] - c), 0), 1)));

export const sparsefool = method({
  about:
    "moves the values of the largest slopes until the plane of DeepFool's boundary is crossed, and goes on from there",
  source: "Modas et al. 2019",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l0"],
  targeted: false,
  losses: ["difference"],
  aboutClasses: true,
  parameters: {
    steps: count(20, "most planes"),
    lambda: amount(3, "factor on DeepFool's move; a larger one crosses more boundaries with more values", { least: 1 }),
    overshoot: amount(0.02, "share of the total move that is added to it"),
    candidates: count(10, "number of most likely classes, with the label, whose boundaries count", { least: 2 }),
  },
  start: attack,
});
