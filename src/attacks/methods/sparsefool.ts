/** @file SparseFool: moves single values to the extremes of [0,1] until a linear boundary is crossed.
 *  Source: Modas et al. 2019, "SparseFool: a few pixels make a big difference", algorithms 1 and 2. */

import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { approach } from "./deepfool.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface SparseFoolOptions {
  readonly steps: number;
  readonly lambda: number;
  readonly overshoot: number;
  readonly candidates: number;
}

function* attack(task: Task, options: SparseFoolOptions): Search {
  const best = Best.closest(task);
  for (const loss of task.goal.starts(task.sample)) yield* walk(task, options, loss, best);
  return best.found();
}

function* walk(task: Task, options: SparseFoolOptions, loss: number, best: Best): Search<void> {
  const { pixels } = task.sample;
  let image = pixels;
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const boundary = yield* boundaryPoint(task, options, image, at);
    const { gradient, ...beyond } = yield* evaluate(task, boundary, at);
    image = sparseMove(pixels, boundary, gradient, options.overshoot);
    const evaluation = yield* evaluate(task, image, beyond.at, false);
    at = evaluation.at;
    if (best.offer(image, evaluation)) return;
  }
}

/** DeepFool's point, at lambda times its distance from the clean image. */
function* boundaryPoint(
  task: Task,
  options: SparseFoolOptions,
  from: Float32Array,
  loss: number,
): Search<Float32Array> {
  const dense: Task = { ...task.withLoss({ kind: "difference" }), budget: { norm: "l2", radius: undefined } };
  const crossed = yield* approach(dense, { ...options, steps: DEEPFOOL_STEPS }, { from, loss }, new Best(dense));
  const { pixels } = task.sample;
  return crossed.map((x, i) => Math.min(Math.max(pixels[i] + options.lambda * (x - pixels[i]), 0), 1));
}

/** Steps of DeepFool for one boundary point, as in the published code. */
const DEEPFOOL_STEPS = 50;

/** How far beyond the boundary the last value goes, along the unit normal. */
const PAST_BOUNDARY = 1e-3;

/** Moves the values of the largest slopes, one after the other, until the linear boundary is
 * crossed. Each goes as far as the boundary needs and [0,1] allows. */
export function sparseMove(
  clean: Float32Array,
  boundary: Float32Array,
  gradient: Float32Array,
  overshoot: number,
): Float32Array {
  const length = NORMS.l2.dual(gradient);
  const order = Array.from(gradient, (_, i) => i).sort(
    (a, b) => Math.abs(gradient[b]) - Math.abs(gradient[a]) || a - b,
  );
  let left = PAST_BOUNDARY;
  for (let i = 0; i < clean.length; i++) left += ((boundary[i] - clean[i]) * gradient[i]) / length;
  const moved = Float32Array.from(clean);
  for (const i of order) {
    const slope = gradient[i] / length;
    if (left <= 0 || slope === 0) break;
    moved[i] = Math.min(Math.max(clean[i] + (left / Math.abs(slope)) * Math.sign(slope), 0), 1);
    left -= (moved[i] - clean[i]) * slope;
  }
  return moved.map((x, i) => Math.min(Math.max(clean[i] + (1 + overshoot) * (x - clean[i]), 0), 1));
}

export const sparsefool = method({
  about: "moves single values to the extremes until the linear boundary at DeepFool's point is crossed",
  source: "Modas et al. 2019",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l0"],
  targeted: false,
  losses: ["margin"],
  aboutClasses: true,
  parameters: {
    steps: count(10, "most boundary points"),
    lambda: amount(3, "factor on DeepFool's move, so that the linear boundary is crossed"),
    overshoot: amount(0.02, "share of the total move that is added to it"),
    candidates: count(10, "number of most likely classes, with the label, whose boundaries count", { least: 2 }),
  },
  start: attack,
});
