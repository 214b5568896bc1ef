/** @file Projected gradient steps: PGD (Madry et al. 2018), and FGSM (Goodfellow et al. 2015) as
 *  its single full step. */

import { NORMS } from "../../perturb/norms.js";
import { pgdStep } from "../../perturb/step.js";
import type { LossName } from "../losses/table.js";
import { amount, count, length, randomStart } from "../parameters.js";
import type { Search } from "../question.js";
import { Best } from "./best.js";
import { evaluate, survivesRounding } from "./evaluate.js";
import { keyOf, method, type Task } from "./method.js";

/** How gradient steps go. Lengths are in pixel units. */
interface Steps {
  readonly steps: number;
  readonly stepSize: number;
  readonly randomStart: boolean | number;
  readonly restarts: number;
}

/** Runs every restart with every starting loss of the goal. Returns at the first success that
 * survives rounding to 8 bits. */
function* attack(task: Task, options: Steps): Search {
  const best = new Best(task);
  for (let restart = 0; restart < options.restarts; restart++)
    for (const loss of task.goal.starts(task.sample)) {
      yield* climb(task, options, restart, loss, best);
      if (best.confirmed) return best.found();
    }
  return best.found();
}

function* climb(task: Task, options: Steps, restart: number, loss: number, best: Best): Search<void> {
  const { sample, budget } = task;
  const move = { norm: budget.norm, radius: budget.radius ?? Number.POSITIVE_INFINITY, stepSize: options.stepSize };
  const image = startOf(task, options.randomStart, restart);
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const evaluation = yield* evaluate(task, image, at);
    at = evaluation.at;
    if (best.offer(image, evaluation) && (yield* survivesRounding(task, image, at))) return best.confirm(image);
    pgdStep(image, evaluation.gradient, sample.pixels, move);
  }
  best.offer(image, yield* evaluate(task, image, at, false));
}

/** Where a restart begins: the image, a random point of the ball, or one within a distance. */
export function startOf(task: Task, random: boolean | number, restart: number): Float32Array {
  const { sample, budget } = task;
  const most = budget.radius ?? 0;
  const reach = typeof random === "boolean" ? (random ? most : 0) : Math.min(random, most);
  if (reach === 0) return Float32Array.from(sample.pixels);
  return NORMS[budget.norm].start(sample.pixels, reach, keyOf(task, "attack-start", restart));
}

const shared = {
  access: "gradient" as const,
  scope: "sample" as const,
  budget: "radius" as const,
  targeted: true,
  losses: ["cross-entropy", "margin", "scaled-cross-entropy"] as const,
  retriesVanished: true,
  start: attack,
  cap: (loss: LossName, { kappa }: { readonly kappa: number }) => (loss === "margin" ? kappa : undefined),
};

const kappa = amount(1000, "margin beyond which the loss `margin` does not grow");

export const pgd = method({
  ...shared,
  about: "steps along the gradient, each projected back into the ball",
  source: "Madry et al. 2018",
  norms: ["linf", "l2", "l1"],
  parameters: {
    steps: count(10, "gradient steps"),
    stepSize: length(({ radius = 0 }) => radius / 4, "length of a step", { usual: "radius / 4" }),
    randomStart: randomStart(true),
    restarts: count(1, "runs from the start, each with its own random start"),
    kappa,
  },
});

export const fgsm = method({
  ...shared,
  about: "one step of the whole radius along the gradient",
  source: "Goodfellow et al. 2015",
  norms: ["linf", "l2", "l1"],
  parameters: {
    steps: count(1, "always 1; more steps are pgd", { most: 1 }),
    stepSize: length(({ radius = 0 }) => radius, "length of the step", { usual: "radius" }),
    randomStart: randomStart(false),
    restarts: count(1, "runs, each with its own random start"),
    kappa,
  },
});
