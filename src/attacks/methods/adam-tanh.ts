/** @file Adam on w with image = (tanh(w) + 1) / 2. The image always stays in [0,1], and the
 *  distance is part of the loss. Sources: Carlini & Wagner 2017 (change of variable, search over
 *  c); Kingma & Ba 2015 (Adam); docs/method.md section 5 (start uniform in w, first success from
 *  iteration 200 on). */
import { uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, count, flag, type Written } from "../parameters.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { searchWeight } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { keyOf, method, type Task } from "./method.js";

interface AdamTanhOptions {
  readonly steps: number;
  /** Adam's learning rate. */
  readonly stepSize: number;
  /** Whether to start with w uniform in [0,1), and not at the image. */
  readonly randomStart: boolean;
  /** Weight c of the goal against the squared L2 distance in pixels. 0: the loss has its own
   * distance term. */
  readonly c: number;
  /** Rounds of search over c. Each round multiplies c by 10 until a success, and then halves the
   * gap. */
  readonly searchSteps: number;
  /** The first iteration whose success counts. */
  readonly checkFrom: number;
  /** Return at the first success, without a search for a closer image. */
  readonly stopAtSuccess: boolean;
  readonly restarts: number;
}

function* attack(task: Task, options: AdamTanhOptions): Search {
  const best = new Best(task);
  let last: Float32Array | undefined;
  for (let restart = 0; restart < options.restarts; restart++)
    for (const loss of task.goal.starts(task.sample)) {
      last = yield* search(task, options, restart, loss, best);
      if (best.success && options.stopAtSuccess) return best.found();
    }
  return best.success || !last ? best.found() : { image: last, success: false };
}

/** Searches over c. The smallest weight that still succeeds gives the closest image. Returns the
 * last iterate. */
function* search(
  task: Task,
  options: AdamTanhOptions,
  restart: number,
  loss: number,
  best: Best,
): Search<Float32Array> {
  let last = task.sample.pixels;
  const rounds = options.c === 0 ? 1 : options.searchSteps;
  yield* searchWeight(options.c, rounds, function* (c) {
    if (best.success && options.stopAtSuccess) return true;
    const run = yield* descend(task, { ...options, c }, restart, loss, best);
    last = run.image;
    return run.success;
  });
  return last;
}

function* descend(
  task: Task,
  options: AdamTanhOptions,
  restart: number,
  loss: number,
  best: Best,
): Search<{ image: Float32Array; success: boolean }> {
  const state = new AdamTanhState(startOf(task, options, restart));
  let success = false;
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const evaluation = yield* evaluate(task, state.image, at);
    at = evaluation.at;
    if (step >= options.checkFrom && within(task, state.image) && best.offer(state.image, evaluation)) {
      success = true;
      if (options.stopAtSuccess) break;
    }
    state.update(evaluation.gradient, task.sample.pixels, options);
  }
  return { image: Float32Array.from(state.image), success };
}

const within = ({ budget, sample }: Task, image: Float32Array): boolean =>
  budget.radius === undefined || NORMS[budget.norm].distance(image, sample.pixels) <= budget.radius;

function startOf(task: Task, { randomStart }: AdamTanhOptions, restart: number): Float64Array {
  const { pixels } = task.sample;
  if (randomStart) return Float64Array.from(uniform(keyOf(task, "attack-start", restart), pixels.length));
  return tanhOf(pixels);
}

/** The variable w of an image. Pixels of exactly 0 or 1 do not have a finite one. */
export const tanhOf = (pixels: Float32Array): Float64Array =>
  Float64Array.from(pixels, (p) => Math.atanh((2 * p - 1) * 0.999999));

/** (tanh(w) + 1) / 2, in the form that needs one exponential. */
const imageOf = (w: number): number => 1 / (1 + Math.exp(-2 * w));

/** The variable w, Adam's moments, and the image that w stands for. */
export class AdamTanhState {
  readonly image: Float32Array;
  readonly #w: Float64Array;
  readonly #mean: Float64Array;
  readonly #square: Float64Array;
  #open: readonly number[];
  #step = 0;

  constructor(w: Float64Array) {
    this.#w = w;
    this.#mean = new Float64Array(w.length);
    this.#square = new Float64Array(w.length);
    this.#open = Array.from(w, (_, i) => i);
    this.image = Float32Array.from(w, imageOf);
  }

  /** Holds all values but the open ones exactly at those of an image. The change of variable would
   * round them. */
  hold(image: Float32Array, open: readonly number[]): void {
    this.#open = open;
    this.image.set(image);
    for (const i of open) this.image[i] = imageOf(this.#w[i]);
  }

  /** One Adam step down c * (-loss) + |x - clean|^2. `gradient` is the gradient of the ascended
   * loss. */
  update(gradient: Float32Array, clean: Float32Array, { stepSize, c }: Pick<AdamTanhOptions, "stepSize" | "c">): void {
    const [weight, distance] = c === 0 ? [1, 0] : [c, 2];
    this.descend((i, x) => distance * (x - clean[i]) - weight * gradient[i], stepSize);
  }

  /** One Adam step down a function of the image.
   * @param slope its derivative by value i, which now is x */
  descend(slope: (i: number, x: number) => number, stepSize: number): void {
    this.#step++;
    const [scale1, scale2] = [1 / (1 - 0.9 ** this.#step), 1 / (1 - 0.999 ** this.#step)];
    const { image } = this;
    for (const i of this.#open) {
      const x = image[i];
      // dx/dw = (1 - tanh(w)^2) / 2 = 2 x (1 - x)
      const g = slope(i, x) * 2 * x * (1 - x);
      const m = 0.9 * this.#mean[i] + 0.1 * g;
      const v = 0.999 * this.#square[i] + 0.001 * g * g;
      this.#mean[i] = m;
      this.#square[i] = v;
      const w = this.#w[i] - (stepSize * m * scale1) / (Math.sqrt(v * scale2) + 1e-8);
      this.#w[i] = w;
      image[i] = imageOf(w);
    }
  }
}

/** The published early attack is this loop, with a start at random and a loss of its own. */
const published = ({ steps = 1000 }: Readonly<Record<string, Written>>) => ({
  steps: 1000,
  randomStart: true,
  c: 0,
  checkFrom: Math.min(200, Number(steps) - 1),
  stopAtSuccess: true,
});

export const adamTanh = method({
  about: "Adam on w, with image = (tanh(w) + 1) / 2; searches for the closest success",
  source: "Carlini & Wagner 2017; Kingma & Ba 2015",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf"],
  targeted: true,
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"],
  cap: (loss, { kappa }) => (loss === "margin" ? kappa : undefined),
  parameters: {
    steps: count(100, "iterations per round of search"),
    stepSize: amount(0.01, "Adam's learning rate"),
    randomStart: flag(false, "`true`: w uniform in [0,1); `false`: at the image"),
    c: amount(1, "weight of the goal against the squared L2 distance; 0: no distance"),
    searchSteps: count(1, "rounds of search over `c`: times ten until a success, then halving the gap"),
    checkFrom: count(0, "first iteration whose success counts, from 0", { least: 0 }),
    stopAtSuccess: flag(false, "stop at the first success, and search no closer one"),
    kappa: amount(0, "margin beyond which the loss does not grow"),
    restarts: count(1, "runs from the start"),
  },
  defaultsFor: (goal, written) => (goal === "early:published" ? published(written) : {}),
  start: attack,
});
