/** @file Fast minimum norm: gradient steps in a ball whose radius follows the distance to the
 *  boundary. Source: Pintor et al. 2021, "Fast minimum-norm adversarial attacks through adaptive
 *  norm constraints", algorithm 1. */

import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Evaluation, Search } from "../question.js";
import type { Best } from "./best.js";
import { annealed, closestOf } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface FmnOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly lastStepSize: number;
  readonly gamma: number;
}

/** The share by which the radius changes in the last step. */
const LAST_GAMMA = 0.001;

/** The share of the distance below which an image is on the boundary, as far as float32 tells. */
const ON_BOUNDARY = 1e-6;

const attack = (task: Task, options: FmnOptions): Search =>
  closestOf(task, (loss, best) => walk(task, options, loss, best));

function* walk(task: Task, options: FmnOptions, loss: number, best: Best): Search<void> {
  const { sample, budget } = task;
  const { project } = NORMS[budget.norm];
  const image = Float32Array.from(sample.pixels);
  const ball = new Ball(task);
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const evaluation = yield* evaluate(task, image, at);
    at = evaluation.at;
    const gamma = annealed(options.gamma, LAST_GAMMA, step, options.steps);
    ball.follow(image, evaluation, best.offer(image, evaluation), gamma);
    NORMS.l2.step(image, evaluation.gradient, annealed(options.stepSize, options.lastStepSize, step, options.steps));
    project(image, sample.pixels, ball.radius);
  }
}

/** The ball around the clean image. */
class Ball {
  radius: number;
  readonly #task: Task;
  readonly #most: number;
  /** The smallest distance of a success. */
  #closest = Number.POSITIVE_INFINITY;

  constructor(task: Task) {
    const { sample, budget } = task;
    this.#task = task;
    const farthest = sample.pixels.map((p) => (p < 0.5 ? 1 : 0));
    this.#most = NORMS[budget.norm].distance(farthest, sample.pixels);
    this.radius = budget.norm === "l0" ? 2 : Number.POSITIVE_INFINITY;
  }

  /** Shrinks after a success and grows after a failure. Before the first success, the radius is the
   * distance of the boundary in a linear model. An image can come to rest on the boundary and never
   * cross it. So the radius also grows there. */
  follow(image: Float32Array, evaluation: Evaluation, success: boolean, gamma: number): void {
    const { budget, sample } = this.#task;
    const distance = NORMS[budget.norm].distance(image, sample.pixels);
    if (success) this.#closest = Math.min(this.#closest, distance);
    const next =
      budget.norm === "l0" ? this.#count(success, gamma) : this.#length(distance, evaluation, success, gamma);
    this.radius = Math.min(next, this.#most);
  }

  #length(distance: number, { loss, gradient }: Evaluation, success: boolean, gamma: number): number {
    if (success) return Math.min(this.radius * (1 - gamma), this.#closest);
    if (this.#closest < Number.POSITIVE_INFINITY) return this.radius * (1 + gamma);
    const ahead = Math.abs(loss) / Math.max(NORMS[this.#task.budget.norm].dual(gradient), 1e-30);
    return ahead > ON_BOUNDARY * distance ? distance + ahead : this.radius * (1 + gamma);
  }

  /** The number of values that may change. As in Foolbox, it is one more than the radius of the
   * paper, so that a search from the number that succeeded does not stall. */
  #count(success: boolean, gamma: number): number {
    const radius = this.radius - 1;
    if (!success) return 1 + Math.max(radius + 1, Math.floor(radius * (1 + gamma)));
    return 1 + Math.max(0, Math.min(radius - 1, Math.floor(radius * (1 - gamma)), this.#closest));
  }
}

export const fmn = method({
  about: "gradient steps in a ball whose radius follows the distance to the boundary",
  source: "Pintor et al. 2021",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf", "l1", "l0"],
  targeted: true,
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"],
  parameters: {
    steps: count(100, "gradient steps"),
    stepSize: amount(1, "length of the first step, in L2"),
    lastStepSize: amount(({ before: { stepSize } }) => Number(stepSize) / 100, "length of the last step, in L2", {
      usual: "stepSize / 100",
    }),
    gamma: amount(0.05, "share by which the radius changes after the first step", { most: 1 }),
  },
  start: attack,
});
