/** @file The attack of Carlini & Wagner: Adam on the distance and a weighted margin, with a search
 *  over the weight. Source: Carlini & Wagner 2017, "Towards evaluating the robustness of neural
 *  networks", sections VI-A (L2), VI-B (L0) and VI-C (Linf). */

import { NORMS } from "../../perturb/norms.js";
import { amount, count, flag } from "../parameters.js";
import type { Evaluation, Search } from "../question.js";
import { AdamTanhState, tanhOf } from "./adam-tanh.js";
import { Best } from "./best.js";
import { balancedWeight, boundaryFrom, searchWeight } from "./closest.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface CwOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly searchSteps: number;
  readonly c: number;
  readonly kappa: number;
  readonly drop: number;
  /** Whether a run ends when a tenth of its steps has not lowered what Adam descends. */
  readonly abortEarly: boolean;
}

/** One run of Adam. */
interface Run {
  readonly task: Task;
  readonly options: CwOptions;
  readonly best: Best;
  /** Index of the loss to start from. */
  readonly loss: number;
}

/** What Adam descends. */
interface Descent {
  /** Its derivative by value i, which now is x. */
  readonly slope: (gradient: Float32Array, i: number, x: number) => number;
  readonly value: (image: Float32Array, loss: number) => number;
}

function* attack(task: Task, options: CwOptions): Search {
  const best = Best.closest(task);
  for (const loss of task.goal.starts(task.sample)) {
    const run = { task, options, best, loss };
    yield* SEARCHES[task.budget.norm as keyof typeof SEARCHES](run);
  }
  return best.found();
}

/** Searches over c in c * (-loss) + |x - clean|^2. */
function* inL2(run: Run): Search<void> {
  const { task, options } = run;
  const { pixels } = task.sample;
  const first = options.c > 0 ? options.c : balancedWeight(yield* boundaryFrom(task, run.loss, options.kappa));
  yield* searchWeight(first, options.searchSteps, function* (c) {
    return (yield* descend(run, stateAt(pixels), squared(pixels, c))).success !== undefined;
  });
}

/** Descends c * (-loss) + the sum of what each value moves beyond tau. After a success, tau falls
 * below its distance. After a failure, c doubles. */
function* inLinf(run: Run): Search<void> {
  const { task, options } = run;
  const { pixels } = task.sample;
  const boundary = yield* boundaryFrom(task, run.loss, options.kappa);
  const dual = Math.max(NORMS.linf.dual(boundary.gradient), 1e-30);
  let c = options.c > 0 ? options.c : pixels.length / dual;
  let [tau, from] = [Math.min(1, (2 * boundary.rise) / dual), pixels];
  for (let round = 0; round < options.searchSteps; round++) {
    // A longer step would leave the small distances that the search is about.
    const stepSize = Math.min(options.stepSize, tau / 4);
    const slope = beyond(pixels, tau, c);
    const { success: found } = yield* descend({ ...run, options: { ...options, stepSize } }, stateAt(from), slope);
    if (found) [tau, from] = [NEXT_TAU * NORMS.linf.distance(found, pixels), found];
    else c *= 2;
  }
}

/** The share of its distance at which tau continues after a success. */
const NEXT_TAU = 0.9;

const squared = (clean: Float32Array, c: number): Descent => ({
  slope: (gradient, i, x) => 2 * (x - clean[i]) - c * gradient[i],
  value: (image, loss) => NORMS.l2.distance(image, clean) ** 2 - c * loss,
});

const beyond = (clean: Float32Array, tau: number, c: number): Descent => ({
  slope: (gradient, i, x) => {
    const move = x - clean[i];
    return (Math.abs(move) > tau ? Math.sign(move) : 0) - c * gradient[i];
  },
  value: (image, loss) => image.reduce((sum, x, i) => sum + Math.max(Math.abs(x - clean[i]) - tau, 0), 0) - c * loss,
});

/** Where the search in L0 stands. */
interface Sparse {
  readonly image: Float32Array;
  /** The places of the values that may differ from the clean image. */
  readonly open: readonly number[];
  /** d loss / d image at the last image that did not succeed. At a success it is 0. */
  readonly gradient: Float32Array;
  readonly c: number;
}

/** Descends in fewer and fewer values. The values whose change does least for the loss return to
 * the clean image for good. After a failure, half as many return. Source: section VI-B. */
function* inL0(run: Run): Search<void> {
  const { pixels } = run.task.sample;
  const boundary = yield* boundaryFrom(run.task, run.loss, run.options.kappa);
  const c = run.options.c > 0 ? run.options.c : balancedWeight(boundary);
  const open = Array.from(pixels, (_, i) => i);
  let at = yield* firstSuccess(run, { image: pixels, open, gradient: boundary.gradient, c });
  let share = run.options.drop;
  while (at && at.open.length > 0) {
    const fewer = Math.max(1, Math.floor(share * at.open.length));
    const next = yield* firstSuccess(run, without(at, pixels, fewer));
    if (!next && fewer === 1) return;
    if (!next) share /= 2;
    at = next ?? at;
  }
}

/** Descends until the first success, with a weight that doubles. */
function* firstSuccess(run: Run, from: Sparse): Search<Sparse | undefined> {
  const { pixels } = run.task.sample;
  const state = stateAt(from.image);
  state.hold(pixels, from.open);
  let { c, gradient } = from;
  for (let round = 0; round < run.options.searchSteps; round++, c *= 2) {
    const { success, failing = gradient } = yield* descend(run, state, squared(pixels, c), true);
    gradient = failing;
    if (success) return { ...from, image: success, gradient, c };
  }
  return undefined;
}

/** The same without the open values whose change, times the slope of the loss, is least. */
function without({ image, open, gradient, c }: Sparse, clean: Float32Array, count: number): Sparse {
  const worth = (i: number): number => Math.abs(gradient[i] * (image[i] - clean[i]));
  const order = [...open].sort((a, b) => worth(a) - worth(b) || a - b);
  return { image, open: order.slice(count), gradient, c };
}

const SEARCHES = { l2: inL2, linf: inLinf, l0: inL0 };

const stateAt = (image: Float32Array): AdamTanhState => new AdamTanhState(tanhOf(image));

/** What a run of Adam saw. */
interface Descended {
  /** The closest success. */
  readonly success?: Float32Array | undefined;
  /** The gradient at the last image that did not succeed. */
  readonly failing?: Float32Array | undefined;
}

/** Steps of Adam.
 * @param stop whether the first success ends the run */
function* descend(run: Run, state: AdamTanhState, { slope, value }: Descent, stop = false): Search<Descended> {
  const { task, options, best } = run;
  const closest = new Best({ ...task, budget: { ...task.budget, radius: undefined } });
  const tenth = Math.ceil(options.steps / 10);
  let before: number | undefined;
  let [at, failing]: [number, Float32Array | undefined] = [run.loss, undefined];
  for (let step = 0; step < options.steps && !(stop && closest.success); step++) {
    const evaluation = yield* evaluate(task, state.image, at);
    at = evaluation.at;
    const { gradient } = evaluation;
    if (reaches(evaluation, options)) {
      closest.offer(state.image, evaluation);
      best.offer(state.image, evaluation);
    }
    if (stop && !closest.success) failing = Float32Array.from(gradient);
    if (options.abortEarly && step % tenth === 0) {
      const now = value(state.image, evaluation.loss);
      // The authors' code compares with 0.9999 times the value, which rises where it is negative.
      if (before !== undefined && now > before - LEAST_PROGRESS * Math.abs(before)) break;
      before = now;
    }
    state.descend((i, x) => slope(gradient, i, x), options.stepSize);
  }
  return { success: closest.success ? closest.found().image : undefined, failing };
}

/** The share by which a tenth of the steps must lower what Adam descends. Source: the authors'
 * code. */
const LEAST_PROGRESS = 1e-4;

/** Whether the loss has reached its cap, so that an image can count. */
const reaches = ({ loss }: Evaluation, { kappa }: CwOptions): boolean => kappa === 0 || loss >= kappa;

export const cw = method({
  about: "Adam on the distance and a weighted margin, with a search over the weight for the closest success",
  source: "Carlini & Wagner 2017",
  access: "gradient",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf", "l0"],
  targeted: true,
  losses: ["margin"],
  cap: (_, { kappa }) => kappa,
  parameters: {
    steps: count(100, "iterations per round of search"),
    stepSize: amount(0.01, "Adam's learning rate"),
    searchSteps: count(
      9,
      "rounds of search over the weight c; in linf over the distance; in l0 the most weights of a round",
    ),
    c: amount(0, "first weight of the goal; 0: the weight that balances margin and distance at the image"),
    kappa: amount(0, "margin that a success must have"),
    abortEarly: flag(false, "end a run when a tenth of its steps brings no progress, as the authors' code does"),
    drop: amount(0.2, "in l0, the share of the changed values that return to the clean image after a success", {
      most: 1,
    }),
  },
  start: attack,
});
