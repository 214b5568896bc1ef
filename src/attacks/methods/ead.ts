/** @file The elastic-net attack: gradient steps on margin and L2, each followed by a shrinkage that
 *  stands for L1. Source: Chen et al. 2018, "EAD: elastic-net attacks to deep neural networks via
 *  adversarial examples", algorithm 1 (FISTA form). */

import { NORMS } from "../../perturb/norms.js";
import { amount, choice, count } from "../parameters.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { balancedWeight, boundaryFrom, searchWeight } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface EadOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly searchSteps: number;
  readonly c: number;
  readonly beta: number;
  readonly kappa: number;
  readonly rule: string;
}

function* attack(task: Task, options: EadOptions): Search {
  const { distance: l1 } = NORMS.l1;
  const elasticNet = (a: Float32Array, b: Float32Array) => NORMS.l2.distance(a, b) ** 2 + options.beta * l1(a, b);
  const best = new Best(task, { distance: options.rule === "l1" ? l1 : elasticNet });
  for (const loss of task.goal.starts(task.sample)) {
    const first = options.c > 0 ? options.c : balancedWeight(yield* boundaryFrom(task, loss, options.kappa));
    yield* searchWeight(first, options.searchSteps, (c) => descend(task, { ...options, c }, loss, best));
  }
  return best.found();
}

/** FISTA: steps from a point beyond the last two images. Returns whether one image succeeded. */
function* descend(task: Task, options: EadOptions, loss: number, best: Best): Search<boolean> {
  const { pixels } = task.sample;
  let [image, ahead]: Float32Array[] = [pixels, pixels];
  let [success, at] = [false, loss];
  for (let step = 0; step < options.steps; step++) {
    const { gradient, ...from } = yield* evaluate(task, ahead, at);
    const next = shrunk(descended(ahead, pixels, gradient, step, options), pixels, options.beta);
    ahead = extrapolated(next, image, (step + 1) / (step + 4));
    image = next;
    const evaluation = yield* evaluate(task, image, from.at, false);
    at = evaluation.at;
    if (options.kappa === 0 || evaluation.loss >= options.kappa) success = best.offer(image, evaluation) || success;
  }
  return success;
}

/** A step down c * (-loss) + |x - clean|^2. The steps become shorter with the root of what is
 * left. */
function descended(
  from: Float32Array,
  clean: Float32Array,
  gradient: Float32Array,
  step: number,
  { stepSize, steps, c }: EadOptions,
): Float32Array {
  const size = stepSize * Math.sqrt(1 - step / steps);
  return from.map((x, i) => x - size * (2 * (x - clean[i]) - c * gradient[i]));
}

/** Moves each value towards the clean one by beta, and into [0,1]. */
const shrunk = (from: Float32Array, clean: Float32Array, beta: number): Float32Array =>
  from.map((x, i) => {
    const move = x - clean[i];
    return Math.abs(move) <= beta ? clean[i] : Math.min(Math.max(x - Math.sign(move) * beta, 0), 1);
  });

const extrapolated = (next: Float32Array, image: Float32Array, factor: number): Float32Array =>
  next.map((x, i) => Math.min(Math.max(x + factor * (x - image[i]), 0), 1));

export const ead = method({
  about: "gradient steps on margin and squared L2, with a shrinkage for L1, and a search over the weight",
  source: "Chen et al. 2018",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l1"],
  targeted: true,
  losses: ["margin"],
  cap: (_, { kappa }) => kappa,
  parameters: {
    steps: count(100, "iterations per round of search"),
    stepSize: amount(0.01, "length of the first step"),
    searchSteps: count(9, "rounds of search over the weight c"),
    c: amount(0, "first weight of the goal; 0: the weight that balances margin and distance at the image"),
    beta: amount(0.001, "weight of L1, and the shrinkage of each step"),
    rule: choice(["l1", "elastic-net"], "l1", "distance by which the closest success is chosen"),
    kappa: amount(0, "margin that a success must have"),
  },
  start: attack,
});
