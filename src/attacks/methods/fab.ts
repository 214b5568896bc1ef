/** @file Fast Adaptive Boundary attack: projects the image onto the linearised boundary of a class,
 *  stays near the clean image, and steps back after a success. Source: Croce & Hein 2020,
 *  "Minimally distorted adversarial examples with a fast adaptive boundary attack", algorithm 1. */

import { ontoHyperplane } from "../../perturb/hyperplane.js";
import { NORMS } from "../../perturb/norms.js";
import { likeliestOthers } from "../goals/targets.js";
import { amount, count, flag } from "../parameters.js";
import type { Search, Slope } from "../question.js";
import { Best } from "./best.js";
import { atBorder } from "./border.js";
import { evaluate, type Followed } from "./evaluate.js";
import { method, type Task } from "./method.js";

interface FabOptions {
  readonly steps: number;
  readonly restarts: number;
  readonly alphaMax: number;
  readonly eta: number;
  readonly beta: number;
  readonly stopAtSuccess: boolean;
  /** Number of classes to aim at, one after the other. Undefined: the nearest class of all. */
  readonly targets?: number;
}

type FabNorm = "linf" | "l2" | "l1";

/** One run towards the boundary of the nearest of some classes. */
interface Run {
  readonly task: Task;
  readonly best: Best;
  readonly options: FabOptions;
  readonly classes: readonly number[];
  readonly norm: FabNorm;
}

function* attack(task: Task, options: FabOptions): Search {
  const best = Best.closest(task);
  const { restarts, targets, stopAtSuccess } = options;
  const others = likeliestOthers(task, targets ?? Number.POSITIVE_INFINITY);
  const rounds = targets === undefined ? [others] : others.map((other) => [other]);
  const norm = task.budget.norm as FabNorm;
  for (const [k, classes] of rounds.entries())
    for (let restart = 0; restart < restarts; restart++)
      for (const at of task.goal.starts(task.sample)) {
        const start = startOf(task, restart, k * restarts + restart);
        yield* approach({ task, best, options, classes, norm }, start, at);
        if (best.success && stopAtSuccess) return best.found();
      }
  return best.found();
}

/** Distances of random starts where the attack has no radius. */
const REACH = { linf: 0.3, l2: 1, l1: 5 } as const;

/** The first run begins at the clean image, the others at half the radius from it. */
function startOf(task: Task, restart: number, number: number): Float32Array {
  const { budget, sample } = task;
  if (restart === 0) return sample.pixels;
  return atBorder(task, (budget.radius ?? REACH[budget.norm as FabNorm]) / 2, number);
}

function* approach(run: Run, start: Float32Array, at: number): Search<void> {
  const { task, best, options, classes } = run;
  const look = (image: Float32Array, loss: number, gradient: boolean) =>
    evaluate(task, image, loss, gradient, { targets: classes });
  let [image, loss, known]: [Float32Array, number, Followed | undefined] = [start, at, undefined];
  for (let step = 0; step < options.steps; step++) {
    const faces: Followed = known ?? (yield* look(image, loss, true));
    image = next(run, image, nearest(faces.each ?? [], run.norm));
    // Before the first success, the next step mostly begins at this image.
    const ahead = classes.length === 1 && !best.success;
    const seen = yield* look(image, faces.at, ahead);
    loss = seen.at;
    known = ahead ? seen : undefined;
    if (!best.offer(image, seen)) continue;
    if (options.stopAtSuccess && best.success) return;
    const { pixels } = task.sample;
    image = image.map((v, i) => pixels[i] + options.beta * (v - pixels[i]));
    known = undefined;
  }
}

/** The class whose linearised boundary is closest. */
function nearest(faces: readonly Slope[], norm: FabNorm): Slope {
  const distances = faces.map(({ loss, gradient }) => Math.abs(loss) / (1e-12 + dualLength(gradient, norm)));
  return faces[distances.indexOf(Math.min(...distances))];
}

/** The length of a gradient, in the norm that bounds the change of the loss. */
function dualLength(gradient: Float32Array, norm: FabNorm): number {
  let sum = 0;
  for (const v of gradient) {
    if (norm === "l1") sum = Math.max(sum, Math.abs(v));
    else sum += norm === "linf" ? Math.abs(v) : v * v;
  }
  return norm === "l2" ? Math.sqrt(sum) : sum;
}

/** Between the projection of the image and that of the clean image, and a little beyond the
 * boundary. The farther the image is from the boundary, the nearer the next one is to the clean
 * one. */
function next({ task, options, norm }: Run, image: Float32Array, { loss, gradient }: Slope): Float32Array {
  const { pixels } = task.sample;
  const { eta, alphaMax } = options;
  let rise = -loss;
  for (let i = 0; i < image.length; i++) rise += gradient[i] * (image[i] - pixels[i]);
  const here = ontoHyperplane(gradient, image, -loss, norm);
  const fromClean = ontoHyperplane(gradient, pixels, rise, norm);
  const [near, far] = [lengthOf(here, norm), lengthOf(fromClean, norm)];
  const alpha = Math.min(near / (near + far), alphaMax);
  const moved = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) {
    const to = (image[i] + eta * here[i]) * (1 - alpha) + (pixels[i] + eta * fromClean[i]) * alpha;
    moved[i] = Math.min(Math.max(to, 0), 1);
  }
  return moved;
}

const lengthOf = (step: Float64Array, norm: FabNorm): number =>
  Math.max(NORMS[norm].distance(new Float32Array(step), new Float32Array(step.length)), 1e-8);

const parameters = {
  steps: count(100, "projections of a run"),
  restarts: count(1, "runs; the first begins at the image, the others at a random point"),
  alphaMax: amount(0.1, "most weight of the clean image's projection", { most: 1 }),
  eta: amount(1.05, "length of a step against the distance to the boundary", { least: 1 }),
  beta: amount(0.9, "share of the distance that is kept after a success", { most: 1 }),
  stopAtSuccess: flag(false, "stop at the first success, and search no closer one"),
};

const shared = {
  source: "Croce & Hein 2020, Fast Adaptive Boundary",
  access: "gradient" as const,
  scope: "sample" as const,
  budget: "closest" as const,
  norms: ["linf", "l2", "l1"] as const,
  targeted: true,
  losses: ["difference"] as const,
  aboutClasses: true,
  start: attack,
};

export const fab = method({
  ...shared,
  about: "projections onto the linearised boundary of the nearest class, with steps back after a success",
  parameters,
});

export const fabT = method({
  ...shared,
  about: "projections onto the linearised boundary of one likely class after the other, with steps back",
  parameters: { ...parameters, targets: count(9, "classes to aim at, from the likeliest wrong one on") },
});
