/** @file Auto-PGD: gradient ascent with momentum whose step length adapts to the loss, on the
 *  cross-entropy, on the difference of logits ratio, and on its targeted form for the likeliest
 *  wrong classes. Source: Croce & Hein 2020, "Reliable evaluation of adversarial robustness with
 *  an ensemble of diverse parameter-free attacks", algorithm 1; Croce & Hein 2021 for L1. */

import { likeliestOthers } from "../goals/targets.js";
import { amount, count, flag } from "../parameters.js";
import type { Search } from "../question.js";
import { type Point, paceOf } from "./apgd-pace.js";
import { Best } from "./best.js";
import { atBorder, inBall } from "./border.js";
import { type Extras, evaluateAll, survivesRounding } from "./evaluate.js";
import { method, type Task } from "./method.js";
import { mean } from "./vectors.js";

interface ApgdOptions {
  readonly steps: number;
  readonly restarts: number;
  readonly rho: number;
  /** Gradients at each image, which are averaged. */
  readonly eot: number;
  /** Whether L1 begins with three and two times the radius. */
  readonly largeRadii: boolean;
  /** Number of classes to aim at, one after the other. Undefined: none. */
  readonly targets?: number;
}

/** One run of Auto-PGD, and what it shares with the others. */
interface Run extends Pick<ApgdOptions, "steps" | "rho" | "eot" | "largeRadii"> {
  readonly task: Task;
  readonly best: Best;
  readonly extras: Extras;
  /** Index of the loss in the goal's list. */
  readonly at: number;
  /** Number of the run. Its random numbers depend on it. */
  readonly number: number;
  /** Whether the start is noise, and not the result of a run in a larger ball. */
  readonly fromNoise: boolean;
}

/** A point and the loss that belongs to it. */
interface Place extends Point {
  readonly at: number;
}

/** Returns at the first success that survives rounding to 8 bits. */
function* attack(task: Task, options: ApgdOptions): Search {
  const best = new Best(task);
  const { targets, restarts } = options;
  const aims = targets === undefined ? [undefined] : likeliestOthers(task, targets);
  for (const [k, target] of aims.entries())
    for (let restart = 0; restart < restarts; restart++)
      for (const at of task.goal.starts(task.sample)) {
        yield* run({ ...options, task, best, at, extras: { target }, number: k * restarts + restart });
        const { confirmed } = best;
        if (confirmed) return best.found();
      }
  return best.found();
}

/** Under L1, a run begins in larger balls, whose best images lead to good starts. */
function* run(given: Omit<Run, "fromNoise">): Search<void> {
  const { task, steps, largeRadii } = given;
  const { norm, radius = 0 } = task.budget;
  const stage = norm === "l1" && largeRadii ? Math.min(Math.ceil(0.3 * steps), Math.floor((steps - 1) / 2)) : 0;
  let image = atBorder(task, stage > 0 ? 3 * radius : radius, given.number);
  for (const factor of stage > 0 ? [3, 2] : []) {
    const fromNoise = factor === 3;
    image = yield* climb(
      { ...given, steps: stage, fromNoise },
      moveInto(task, image, factor * radius),
      factor * radius,
      false,
    );
  }
  yield* climb(
    { ...given, steps: steps - 2 * stage, fromNoise: stage === 0 },
    moveInto(task, image, radius),
    radius,
    true,
  );
}

const moveInto = ({ sample: { pixels }, budget }: Task, image: Float32Array, radius: number): Float32Array =>
  budget.norm === "l1"
    ? inBall(
        image.map((v, i) => v - pixels[i]),
        pixels,
        radius,
      )
    : image;

/** Ascends the loss within a radius. Returns the image of the largest loss.
 * @param counts whether successes count, because the radius is that of the attack */
function* climb(given: Run, start: Float32Array, radius: number, counts: boolean): Search<Float32Array> {
  const { task, best, steps, rho, fromNoise } = given;
  let here = yield* look(given, start, given.at, counts);
  let [top, before] = [here, here.image];
  const pace = paceOf({ norm: task.budget.norm, radius, clean: task.sample.pixels, steps, rho, fromNoise }, here);
  for (let step = 0; step < steps && !best.confirmed; step++) {
    const moved = pace.move(here, before);
    before = here.image;
    here = yield* look(given, moved, here.at, counts);
    if (here.loss > top.loss) top = here;
    if (pace.goesBack(here, top)) here = top;
  }
  return top.image;
}

/** Evaluates an image, and keeps it if it is the best. */
function* look({ task, best, extras, eot }: Run, image: Float32Array, at: number, counts: boolean): Search<Place> {
  const times = Array.from({ length: eot }, (_, k) => k);
  const replies = yield* evaluateAll(
    task,
    times.map(() => image),
    times.map(() => at),
    true,
    () => extras,
  );
  const last = replies[eot - 1];
  const gradient = mean(replies.map((reply) => reply.gradient));
  const place = { image, gradient, loss: last.loss, at: last.at };
  if (counts && best.offer(image, last) && (yield* survivesRounding(task, image, last.at, extras))) best.confirm(image);
  return place;
}

const parameters = {
  steps: count(100, "gradient steps of a run"),
  restarts: count(1, "runs, each with its own random start"),
  rho: amount(0.75, "share of steps that must raise the loss, or the step is halved", { most: 1 }),
  eot: count(1, "gradients at each image, which are averaged; more than 1 for networks that draw random numbers"),
  largeRadii: flag(true, "in L1, begin with three and two times the radius, each for 30 % of the steps"),
};

const shared = {
  source: "Croce & Hein 2020; for L1, Croce & Hein 2021",
  access: "gradient" as const,
  scope: "sample" as const,
  budget: "radius" as const,
  norms: ["linf", "l2", "l1"] as const,
  targeted: true,
  start: attack,
};

export const apgdCe = method({
  ...shared,
  about: "gradient steps with momentum whose length adapts to the cross-entropy",
  losses: ["cross-entropy"],
  retriesVanished: true,
  parameters,
});

export const apgdDlr = method({
  ...shared,
  about: "gradient steps with momentum whose length adapts to the difference of logits ratio",
  losses: ["dlr"],
  parameters,
});

export const apgdT = method({
  ...shared,
  about: "gradient steps with momentum towards one likely class after the other",
  losses: ["targeted-dlr"],
  aboutClasses: true,
  parameters: { ...parameters, targets: count(9, "classes to aim at, from the likeliest wrong one on") },
});
