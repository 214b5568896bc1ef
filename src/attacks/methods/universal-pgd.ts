/** @file One perturbation for all images: steps along the mean gradient of batches of samples.
 *  Sources: Shafahi et al. 2020, "Universal adversarial training"; Hong et al. 2021 (DeepSloth)
 *  with the goal slowdown. `class-universal` has one perturbation for each class (Zhang et al.
 *  2020, CD-UAP). */

import { uniform } from "../../core/rng.js";
import { intoBall, perturbed } from "../../perturb/ball.js";
import { NORMS } from "../../perturb/norms.js";
import { length, type Values } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import { method, type Task } from "./method.js";
import { type Change, FIT, fitTo, judged, keyOfSet, toFit } from "./universal.js";

/** A perturbation of every image, within the ball. */
export function perturbation(
  { norm, radius = Number.POSITIVE_INFINITY }: Task["budget"],
  v: Float32Array,
  stepSize = 0,
): Change {
  return {
    apply: (pixels) => perturbed(pixels, v),
    moves: (pixels, i) => pixels[i] + v[i] >= 0 && pixels[i] + v[i] <= 1,
    step: (gradient) => {
      NORMS[norm].step(v, gradient, stepSize);
      intoBall(v, norm, radius);
    },
  };
}

const parameters = {
  ...FIT,
  stepSize: length(({ radius = 0 }) => radius / 8, "length of a step", { usual: "radius / 8" }),
  startSize: length(0, "each value starts at random within this distance of 0, and in the ball"),
};

type Options = Values<typeof parameters>;

/** Fits a perturbation. The last one counts. */
function* fitted(tasks: readonly Task[], group: number, options: Options): Search<Change> {
  const [{ budget, sample }] = tasks;
  const { startSize, stepSize } = options;
  const start = uniform(keyOfSet(tasks, group, "attack-start", 0), sample.pixels.length, -startSize, startSize);
  const v = intoBall(start, budget.norm, budget.radius ?? Number.POSITIVE_INFINITY);
  const change = perturbation(budget, v, stepSize);
  yield* fitTo(tasks, group, options, change);
  return change;
}

function* attack(tasks: readonly Task[], options: Options): Search<readonly FoundImage[]> {
  return yield* judged(tasks, yield* fitted(toFit(tasks, options.fit), 0, options));
}

/** The attack for each class alone. A class without a sample to fit on keeps its images. */
function* attackClasses(tasks: readonly Task[], options: Options): Search<readonly FoundImage[]> {
  const found = new Map<Task, FoundImage>();
  const classOf = ({ goal, sample }: Task) => goal.label(sample);
  for (const group of new Set(tasks.map(classOf))) {
    const known = toFit(tasks, options.fit).filter((task) => classOf(task) === group);
    const members = tasks.filter((task) => classOf(task) === group);
    const change = known.length > 0 ? yield* fitted(known, group, options) : UNCHANGED;
    const results = yield* judged(members, change);
    results.forEach((result, k) => {
      found.set(members[k], result);
    });
  }
  return tasks.map((task) => found.get(task) as FoundImage);
}

const UNCHANGED: Change = {
  apply: (pixels) => Float32Array.from(pixels),
  moves: () => false,
  step: () => undefined,
};

const shared = {
  access: "gradient" as const,
  scope: "set" as const,
  budget: "radius" as const,
  norms: ["linf", "l2", "l1"] as const,
  targeted: true,
  losses: ["cross-entropy", "margin", "scaled-cross-entropy"] as const,
  parameters,
  /** DeepSloth's settings. */
  defaultsFor: (goal: string): Readonly<Record<string, number>> =>
    goal === "slowdown" ? { epochs: 20, stepSize: 0.005, startSize: 0.002 } : {},
};

export const universalPgd = method({
  ...shared,
  about: "one perturbation for all images: steps along the mean gradient of batches; the last one counts",
  source: "Shafahi et al. 2020; Hong et al. 2021",
  start: (tasks: readonly Task[], options: Options) => attack(tasks, options),
});

export const classUniversal = method({
  ...shared,
  about: "one perturbation for each class, found as by universal-pgd",
  source: "Zhang et al. 2020, CD-UAP",
  start: (tasks: readonly Task[], options: Options) => attackClasses(tasks, options),
});
