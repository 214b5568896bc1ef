/** @file Projected gradient steps: PGD (Madry et al. 2018), and FGSM (Goodfellow et al. 2015) as
 *  its single full step. */

import { NORMS } from "../../perturb/norms.js";
import { pgdStep } from "../../perturb/step.js";
import {
  type AttackRun,
  type Evaluation,
  evaluate,
  type Optimizer,
  type Query,
  survivesRounding,
  type Task,
} from "../attack.js";
import { Best } from "../best.js";

export interface PgdOptions {
  readonly steps: number;
  /** In pixel units. */
  readonly stepSize: number;
  /** Radius of the random start, in pixel units. 0 starts at the image. */
  readonly start: number;
  readonly restarts: number;
}

export const pgd = (options: PgdOptions, name: "pgd" | "fgsm" = "pgd"): Optimizer => ({
  name,
  retriesVanished: true,
  run: (task) => attack(task, options),
});

/** Runs every restart with every starting loss of the objective. Returns at the first success that
 * survives rounding to 8 bits. */
function* attack(task: Task, options: PgdOptions): AttackRun {
  const best = new Best(task);
  for (let restart = 0; restart < options.restarts; restart++)
    for (const loss of task.objective.starts(task.sample)) {
      yield* climb(task, options, restart, loss, best);
      if (best.confirmed) return best.found();
    }
  return best.found();
}

function* climb(
  task: Task,
  options: PgdOptions,
  restart: number,
  loss: number,
  best: Best,
): Generator<Query, void, Evaluation> {
  const { sample, budget, seed } = task;
  const move = { norm: budget.norm, radius: budget.radius ?? Number.POSITIVE_INFINITY, stepSize: options.stepSize };
  const key = { seed, sample: sample.id, purpose: "attack-start", step: restart } as const;
  const image =
    options.start > 0 ? NORMS[budget.norm].start(sample.pixels, options.start, key) : Float32Array.from(sample.pixels);
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const evaluation = yield* evaluate(task, image, at);
    at = evaluation.at;
    if (best.offer(image, evaluation) && (yield* survivesRounding(task, image, at))) return best.confirm(image);
    pgdStep(image, evaluation.gradient, sample.pixels, move);
  }
  best.offer(image, yield* evaluate(task, image, at, false));
}
