/** @file DeepFool: steps to the nearest boundary of the model, as if it were linear. Source:
 *  Moosavi-Dezfooli et al. 2016, "DeepFool: a simple and accurate method to fool deep neural
 *  networks", algorithm 2. */

import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Search, Slope } from "../question.js";
import { Best } from "./best.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

export interface DeepFoolOptions {
  readonly steps: number;
  readonly candidates: number;
  readonly overshoot: number;
}

/** Added to each step, so that rounding does not leave the image on the boundary. */
const PAST_BOUNDARY = 1e-4;

/** Searches for the closest image that meets the goal. */
export function* deepfoolSearch(task: Task, options: DeepFoolOptions): Search {
  const best = Best.closest(task);
  for (const loss of task.goal.starts(task.sample))
    yield* approach(task, options, { from: task.sample.pixels, loss }, best);
  return best.found();
}

/** Where the steps ended. */
export interface Approached {
  readonly image: Float32Array;
  /** The class whose boundary was the nearest at the last step. */
  readonly rival: number;
}

/** Steps from an image until the goal is met. Offers each image to `best`.
 * @param start the image, and the index of its loss */
export function* approach(
  task: Task,
  options: DeepFoolOptions,
  { from, loss }: { readonly from: Float32Array; readonly loss: number },
  best: Best,
): Search<Approached> {
  const rivals = rivalsOf(task, loss, options.candidates);
  let [rival] = rivals;
  const total = new Float32Array(from.length);
  const image = Float32Array.from(from);
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const here = yield* evaluate(task, image, at, true, { targets: rivals });
    if (step === 0 && best.offer(image, here)) return { image, rival };
    const nearest = nearestOf(task, here.each ?? [], rivals);
    if (!nearest) return { image, rival };
    rival = nearest.rival;
    NORMS[task.budget.norm].step(total, nearest.gradient, nearest.distance + PAST_BOUNDARY);
    moveTo(image, from, total, 1 + options.overshoot);
    // Gradients of all rivals would be wasted on an image that ends the search.
    const moved = yield* evaluate(task, image, here.at, false, { target: rivals[0] });
    if (best.offer(image, moved)) return { image, rival };
    at = moved.at;
  }
  return { image, rival };
}

/** The classes whose boundaries count: those of the largest logits on the clean image, without the
 * label. */
function rivalsOf({ goal, sample }: Task, loss: number, candidates: number): number[] {
  const logits = sample.clean[goal.losses[loss].exits.at(-1) ?? 0];
  const label = goal.label(sample);
  const classes = Array.from(logits, (_, k) => k).filter((k) => k !== label);
  return classes.sort((a, b) => logits[b] - logits[a] || a - b).slice(0, candidates - 1);
}

interface Boundary {
  readonly rival: number;
  readonly distance: number;
  readonly gradient: Float32Array;
}

/** The nearest boundary of the linear model. Undefined when no gradient leads to one.
 * @param slopes the loss and its gradient for each rival */
function nearestOf(task: Task, slopes: readonly Slope[], rivals: readonly number[]): Boundary | undefined {
  const all = slopes.map((slope, i) => boundaryOf(task, slope, rivals[i]));
  const nearest = all.reduce((a, b) => (b.distance < a.distance ? b : a));
  return Number.isFinite(nearest.distance) ? nearest : undefined;
}

function boundaryOf({ budget }: Task, { loss, gradient }: Slope, rival: number): Boundary {
  const slope = NORMS[budget.norm].dual(gradient);
  return {
    rival,
    distance: slope > 0 ? Math.abs(loss) / slope : Number.POSITIVE_INFINITY,
    gradient: Float32Array.from(gradient),
  };
}

/** Writes clean + factor * move into the image, within [0,1]. */
function moveTo(image: Float32Array, clean: Float32Array, move: Float32Array, factor: number): void {
  for (let i = 0; i < image.length; i++) image[i] = Math.min(Math.max(clean[i] + factor * move[i], 0), 1);
}

export const deepfool = method({
  about: "steps to the nearest boundary of a linear model of the network, until one is crossed",
  source: "Moosavi-Dezfooli et al. 2016",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf"],
  targeted: false,
  losses: ["difference"],
  aboutClasses: true,
  parameters: {
    steps: count(50, "most steps"),
    candidates: count(10, "number of most likely classes, with the label, whose boundaries count", { least: 2 }),
    overshoot: amount(0.02, "share of the total move that is added to it"),
  },
  start: deepfoolSearch,
});
