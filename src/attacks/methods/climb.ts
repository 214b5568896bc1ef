/** @file The loop of gradient methods of fixed budget. Every step asks for gradients, turns them
 *  into a direction, and projects the moved image back into the ball. A method says which images
 *  it needs gradients at, and how the gradients make a direction. */

import type { StreamKey } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { pgdStep } from "../../perturb/step.js";
import type { LossName } from "../losses/table.js";
import { amount, choice, count, length, type Parameters, type Values } from "../parameters.js";
import type { Question, Search } from "../question.js";
import { Best } from "./best.js";
import { evaluate, evaluateAll, type Followed, survivesRounding } from "./evaluate.js";
import { keyOf, type MethodDef, method, type Task } from "./method.js";

/** Where a run stands. */
export interface Position {
  /** The iterate, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** The key of this step's random numbers. */
  readonly key: StreamKey;
}

/** An image at which a step needs the gradient. */
export interface Probe {
  /** float32 [c*h*w]. It may lie outside the ball and outside [0,1]. */
  readonly image: Float32Array;
  /** Turns the gradient at this image into one with respect to the iterate. The default is for an
   * image that is the iterate plus a constant. */
  readonly back?: (gradient: Float32Array) => Float32Array;
}

/** What tells methods apart. Each run has its own, which may keep a state such as momentum. */
export interface Way {
  /** The images of one step. The default is the iterate. */
  readonly probes?: (at: Position) => readonly Probe[];
  /** The direction of the step, from the gradients of its images. The default is the gradient of
   * the first image. */
  readonly direction?: (gradients: readonly Float32Array[], at: Position) => Float32Array;
  /** Numbers for the loss. */
  readonly extra?: (key: StreamKey) => Question["extra"];
}

/** How steps go. Lengths are in pixel units. */
export interface Steps {
  readonly steps: number;
  readonly stepSize: number;
  readonly restarts: number;
  readonly iterate: "best" | "last";
  readonly randomStart?: boolean | number;
}

interface Climb {
  readonly task: Task;
  readonly options: Steps;
  readonly way: Way;
  readonly restart: number;
  readonly best: Best;
}

/** Runs every restart with every starting loss of the goal. Returns at the first success that
 * survives rounding to 8 bits, unless the last iterate is wanted. */
function* attack(task: Task, options: Steps, way: () => Way, start: (restart: number) => Float32Array): Search {
  const best = new Best(task);
  for (let restart = 0; restart < options.restarts; restart++)
    for (const loss of task.goal.starts(task.sample)) {
      yield* climb({ task, options, way: way(), restart, best }, start(restart), loss);
      if (best.confirmed) return best.found();
    }
  return best.found();
}

function* climb(run: Climb, image: Float32Array, loss: number): Search<void> {
  const { task, options, way, best } = run;
  const { sample, budget } = task;
  const move = { norm: budget.norm, radius: budget.radius ?? Number.POSITIVE_INFINITY, stepSize: options.stepSize };
  let at = loss;
  for (let step = 0; step < options.steps; step++) {
    const position = positionOf(run, image, step);
    const { here, gradients } = yield* look(run, position, at);
    at = (here ?? gradients[0]).at;
    const extra = extraOf(run, position);
    if (here && best.offer(image, here) && (yield* survivesRounding(task, image, at, extra)))
      return best.confirm(image);
    pgdStep(image, directionOf(way, gradients, position), sample.pixels, move);
  }
  const extra = extraOf(run, positionOf(run, image, options.steps));
  best.offer(image, yield* evaluate(task, image, at, false, extra));
}

/** Restarts have streams of random numbers of their own, as long as they have fewer than a million
 * steps. */
const positionOf = ({ task, restart }: Climb, image: Float32Array, step: number): Position => ({
  image,
  key: keyOf(task, "attack-choice", restart * 2 ** 20 + step),
});

const extraOf = ({ way }: Climb, { key }: Position): Pick<Question, "extra"> => ({ extra: way.extra?.(key) });

/** The gradient of each image of a step. The evaluation of the iterate comes with
 * them where the best iterate is wanted. */
function* look(
  run: Climb,
  position: Position,
  loss: number,
): Search<{ readonly here: Followed | undefined; readonly gradients: readonly (Followed & Probe)[] }> {
  const probes: readonly Probe[] = run.way.probes?.(position) ?? [{ image: position.image }];
  const judged = run.options.iterate === "best";
  const own = probes.findIndex(({ image }) => image === position.image);
  const asks = judged && own < 0 ? [...probes, position] : probes;
  const found = yield* evaluateAll(
    run.task,
    asks.map(({ image }) => image),
    asks.map(() => loss),
    true,
    (i) => ({
      ...extraOf(run, position),
      gradient: i < probes.length,
      candidate: asks[i].image === position.image,
    }),
  );
  return {
    here: judged ? found[own < 0 ? probes.length : own] : undefined,
    gradients: probes.map((probe, i) => ({ ...found[i], ...probe })),
  };
}

function directionOf(way: Way, probed: readonly (Followed & Probe)[], position: Position): Float32Array {
  const gradients = probed.map(({ gradient, back }) => back?.(gradient) ?? gradient);
  return way.direction?.(gradients, position) ?? gradients[0];
}

/** Where a restart begins: the image, a random point of the ball, or one within a distance. */
export function startOf(task: Task, random: boolean | number, restart: number): Float32Array {
  const { sample, budget } = task;
  const most = budget.radius ?? 0;
  const reach = typeof random === "boolean" ? (random ? most : 0) : Math.min(random, most);
  if (reach === 0) return Float32Array.from(sample.pixels);
  return NORMS[budget.norm].start(sample.pixels, reach, keyOf(task, "attack-start", restart));
}

/** The parameters of every gradient method of fixed budget, and their defaults: a quarter of the
 * radius a step. */
export const STEPS = {
  steps: count(10, "gradient steps"),
  stepSize: length(({ radius = 0 }) => radius / 4, "length of a step", { usual: "radius / 4" }),
  restarts: count(1, "runs from the start"),
  iterate: choice(["best", "last"], "best", "which iterate is the result"),
  kappa: amount(1000, "margin beyond which the loss `margin` does not grow"),
};

type Shared = "norms" | "losses" | "targeted" | "retriesVanished" | "check";
type Facts<P extends Parameters> = Pick<MethodDef<P>, "about" | "source" | "parameters"> &
  Partial<Pick<MethodDef<P>, Shared>> & {
    readonly way?: (task: Task, values: Values<P>) => Way;
    /** Where a restart begins. The default follows `randomStart`. */
    readonly start?: (task: Task, values: Values<P>, restart: number) => Float32Array;
  };

/** A gradient method of fixed budget. Its parameters include {@link STEPS}. */
export const climbing = <P extends typeof STEPS>({ way, start, ...facts }: Facts<P>): MethodDef =>
  method<P>({
    access: "gradient",
    scope: "sample",
    budget: "radius",
    norms: ["linf"],
    targeted: true,
    losses: ["cross-entropy", "margin", "scaled-cross-entropy"],
    retriesVanished: true,
    cap: (loss: LossName, values) => (loss === "margin" ? (values as Values<typeof STEPS>).kappa : undefined),
    ...facts,
    start: (task, values) => {
      const options = values as unknown as Steps;
      return attack(
        task,
        options,
        () => way?.(task, values) ?? {},
        (restart) => start?.(task, values, restart) ?? startOf(task, options.randomStart ?? false, restart),
      );
    },
  });
