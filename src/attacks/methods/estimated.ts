/** @file Gradients that differences of the loss estimate: NES (Ilyas et al. 2018) with Gaussian
 *  directions and plain steps, and SPSA (Uesato et al. 2018) with directions of signs and Adam. */

import { normal, uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { pgdStep } from "../../perturb/step.js";
import { amount, count, length } from "../parameters.js";
import type { FoundImage, Query, QuerySearch, Shown } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { limited, queries } from "./nearest.js";

interface Estimate {
  readonly steps: number;
  readonly directions: number;
  readonly delta: number;
  readonly stepSize: number;
}

/** Moves an image along an estimated gradient, in place. */
type Mover = (image: Float32Array, gradient: Float32Array) => void;
type Draw = (task: QueryTask, draw: number) => Float32Array;
type Step<T> = Generator<readonly Query[], T, readonly Shown["scores"][]>;

/** The image that meets the goal, or the one of the largest loss. */
class Top {
  image: Float32Array;
  success = false;
  #loss = Number.NEGATIVE_INFINITY;

  constructor({ sample }: QueryTask) {
    this.image = sample.pixels;
  }

  offer(image: Float32Array, { loss, success }: Shown["scores"]): void {
    if (!success && loss <= this.#loss) return;
    this.image = Float32Array.from(image);
    this.success = success;
    this.#loss = loss;
  }

  found(): FoundImage {
    return { image: this.image, success: this.success };
  }
}

/** Climbs until an iterate meets the goal. */
function* climb(task: QueryTask, options: Estimate, draw: Draw, move: Mover, top: Top): QuerySearch<"scores", void> {
  const image = Float32Array.from(task.sample.pixels);
  for (let step = 0; step < options.steps; step++) {
    move(image, yield* estimate(task, image, options, draw, step));
    const [shown] = yield [{ image }];
    top.offer(image, shown);
    if (shown.success) return;
  }
}

/** The mean over directions v of (loss(x + delta v) - loss(x - delta v)) / (2 delta) times v. */
function* estimate(
  task: QueryTask,
  image: Float32Array,
  { directions, delta }: Estimate,
  draw: Draw,
  step: number,
): Step<Float32Array> {
  const drawn = Array.from({ length: directions }, (_, k) => draw(task, step * directions + k));
  const moved = (v: Float32Array, by: number) => image.map((x, i) => Math.min(Math.max(x + by * v[i], 0), 1));
  const replies = yield drawn.flatMap((v) => [{ image: moved(v, delta) }, { image: moved(v, -delta) }]);
  const gradient = new Float32Array(image.length);
  drawn.forEach((v, k) => {
    const slope = (replies[2 * k].loss - replies[2 * k + 1].loss) / (2 * delta * directions);
    for (let i = 0; i < gradient.length; i++) gradient[i] += slope * v[i];
  });
  return gradient;
}

const gaussian: Draw = (task, draw) => normal(keyOf(task, "attack-noise", draw), task.sample.pixels.length);
const signs: Draw = (task, draw) =>
  uniform(keyOf(task, "attack-noise", draw), task.sample.pixels.length).map((u) => (u < 0.5 ? -1 : 1));

/** Projected gradient steps. */
function plain({ sample, budget }: QueryTask, stepSize: number): Mover {
  const { norm, radius = Number.POSITIVE_INFINITY } = budget;
  return (image, gradient) => pgdStep(image, gradient, sample.pixels, { norm, radius, stepSize });
}

/** Steps of Adam on the perturbation, each projected (Kingma & Ba 2015). */
function adam({ sample, budget }: QueryTask, rate: number): Mover {
  const [mean, square] = [new Float64Array(sample.pixels.length), new Float64Array(sample.pixels.length)];
  let step = 0;
  return (image, gradient) => {
    step++;
    for (let i = 0; i < image.length; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
      square[i] = 0.999 * square[i] + 0.001 * gradient[i] ** 2;
      const [m, v] = [mean[i] / (1 - 0.9 ** step), square[i] / (1 - 0.999 ** step)];
      image[i] += (rate * m) / (Math.sqrt(v) + 1e-8);
    }
    NORMS[budget.norm].project(image, sample.pixels, budget.radius ?? Number.POSITIVE_INFINITY);
  };
}

const shared = {
  access: "scores" as const,
  scope: "sample" as const,
  budget: "radius" as const,
  targeted: true,
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"] as const,
};

const common = {
  steps: count(100, "steps"),
  queries: queries(10_000),
  directions: count(128, "directions per step; each takes two queries"),
  delta: amount(0.01, "length along a direction at which the loss is asked for"),
};

const start = (draw: Draw, mover: (task: QueryTask, stepSize: number) => Mover) =>
  function search(task: QueryTask, options: Estimate & { readonly queries: number }): QuerySearch<"scores"> {
    const top = new Top(task);
    return limited(climb(task, options, draw, mover(task, options.stepSize), top), options.queries, () => top.found());
  };

export const nes = method({
  ...shared,
  about: "steps along a gradient that differences of the loss along Gaussian directions estimate",
  source: "Ilyas et al. 2018",
  norms: ["linf", "l2"],
  parameters: {
    ...common,
    stepSize: length(({ radius = 0 }) => radius / 4, "length of a step", { usual: "radius / 4" }),
  },
  start: start(gaussian, plain),
});

export const spsa = method({
  ...shared,
  about: "Adam on a gradient that differences of the loss along random signs estimate",
  source: "Uesato et al. 2018",
  norms: ["linf"],
  parameters: { ...common, stepSize: amount(0.01, "Adam's learning rate") },
  start: start(signs, adam),
});
