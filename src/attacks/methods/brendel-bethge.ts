/** @file The attack of Brendel & Bethge: starts at an image that meets the goal, and walks along
 *  the decision boundary towards the clean image. Source: Brendel et al. 2019, "Accurate, reliable
 *  and fast robustness evaluation". The trust region shrinks as in Foolbox 3. */

import type { Victim } from "../goals/victim.js";
import { queryTask, restrict } from "../oracle/restrict.js";
import { amount, count } from "../parameters.js";
import type { Search } from "../question.js";
import type { Best } from "./best.js";
import { closestOf } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";
import { firstSuccess, toBoundary } from "./nearest.js";
import { type StepProblem, trustRegionStep } from "./trust-region.js";
import { plus } from "./vectors.js";

interface WalkOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly decay: number;
  readonly decays: number;
  readonly momentum: number;
  readonly overshoot: number;
}

/** The share of the distance to which the first bisection finds the boundary. */
const PRECISION = 2 ** -10;

const attack = (task: Task, options: WalkOptions, victim: Victim): Search =>
  closestOf(task, (loss, best) => walk(task, options, loss, best, victim));

function* walk(task: Task, options: WalkOptions, loss: number, best: Best, victim: Victim): Search<void> {
  const { pixels: clean } = task.sample;
  const norm = task.budget.norm as StepProblem["norm"];
  let image = yield* firstImage(task, victim);
  if (!image) return;
  let [normal, level, at]: [Float32Array | undefined, number, number] = [undefined, 0, loss];
  for (let step = 0; step < options.steps; step++) {
    const reply = yield* evaluate(task, image, at);
    at = reply.at;
    level = levelAfter(level, reply.loss, best.offer(image, reply));
    normal = mixed(normal, reply.gradient, options.momentum);
    const rise = overshot(level - reply.loss, options.overshoot);
    const change = trustRegionStep({ norm, clean, image, normal, rise, radius: radiusAt(step, clean.length, options) });
    image = plus(image, change).map((v) => Math.min(Math.max(v, 0), 1));
  }
  best.offer(image, yield* evaluate(task, image, at, false));
}

/** An image on the boundary. Undefined when no start is found. */
function* firstImage(task: Task, victim: Victim): Search<Float32Array | undefined> {
  const known = queryTask(task, victim.model.classes);
  const start = yield* restrict(firstSuccess(known), task, "label", victim);
  return start && (yield* restrict(toBoundary(known, start, PRECISION), task, "label", victim));
}

/** The loss on the boundary. It is 0 for a margin. Another loss shows it by a success below, or a
 * failure above. */
const levelAfter = (level: number, loss: number, success: boolean): number =>
  success ? Math.min(level, loss) : Math.max(level, loss);

/** The mean of the gradients, in which older ones fade. */
const mixed = (before: Float32Array | undefined, gradient: Float32Array, momentum: number): Float32Array =>
  before ? before.map((v, i) => momentum * v + (1 - momentum) * gradient[i]) : Float32Array.from(gradient);

/** The rise of the loss that the next step aims at: somewhat beyond the boundary from outside, and
 * somewhat short of it from inside. */
const overshot = (rise: number, overshoot: number): number => (rise > 0 ? overshoot : 2 - overshoot) * rise;

/** The radius of the trust region, which shrinks `decays` times. */
const radiusAt = (step: number, size: number, { steps, stepSize, decay, decays }: WalkOptions): number =>
  stepSize * size * decay ** Math.floor((step + 2) / Math.max(1, Math.floor(steps / decays)));

export const brendelBethge = method({
  about: "walks along the decision boundary, by trust-region steps, from a distant success to the nearest one",
  source: "Brendel et al. 2019",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf", "l1"],
  targeted: true,
  losses: ["margin"],
  parameters: {
    steps: count(1000, "steps along the boundary"),
    stepSize: amount(0.001, "radius of the first trust region in L2, for each value of the image"),
    decay: amount(0.5, "factor by which the radius of the trust region shrinks", { most: 1 }),
    decays: count(20, "number of times that the radius shrinks"),
    momentum: amount(0.8, "share of the earlier gradients in the normal of the boundary", { most: 1 }),
    overshoot: amount(1.1, "share of the way to the boundary that a step takes from outside; 2 less it from inside", {
      most: 2,
    }),
  },
  start: attack,
});
