/** @file HopSkipJump: estimates the normal of the decision boundary from labels, jumps along it and
 *  returns to the boundary by bisection. Source: Chen et al. 2020. */

import { normal, uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Query, QuerySearch, Shown } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { firstSuccess, limited, meets, Nearest, queries, toBoundary } from "./nearest.js";

interface HopOptions {
  readonly steps: number;
  readonly queries: number;
  readonly initialDirections: number;
  readonly maxDirections: number;
  readonly gamma: number;
}

type Step<T> = Generator<readonly Query[], T, readonly Shown["label"][]>;

function* hop(task: QueryTask, options: HopOptions, nearest: Nearest): QuerySearch<"label", void> {
  const start = yield* firstSuccess(task);
  if (start === undefined) return;
  const { distance } = NORMS[task.budget.norm];
  const precision = precisionOf(task, options.gamma);
  let image = yield* toBoundary(task, start, precision);
  nearest.offer(image);
  for (let step = 0; step < options.steps; step++) {
    const gap = distance(image, task.sample.pixels);
    const reach = step === 0 ? 0.1 : gap * precision * probeFactor(task);
    const direction = yield* normalOf(task, image, reach, step, options);
    const jumped = yield* jump(image, direction, gap / Math.sqrt(step + 1));
    image = yield* toBoundary(task, jumped, precision);
    nearest.offer(image);
  }
}

/** The paper's theta: gamma / d^1.5 in L2 and gamma / d^2 in Linf. */
function precisionOf({ sample, budget }: QueryTask, gamma: number): number {
  const d = sample.pixels.length;
  return budget.norm === "linf" ? gamma / (d * d) : gamma / (d * Math.sqrt(d));
}

const probeFactor = ({ sample, budget }: QueryTask): number =>
  budget.norm === "linf" ? sample.pixels.length : Math.sqrt(sample.pixels.length);

/** A direction of length 1 in L2, or of signs in Linf, into the region that meets the goal. The
 * labels of random probes around the image give it. */
function* normalOf(
  task: QueryTask,
  image: Float32Array,
  reach: number,
  step: number,
  { initialDirections, maxDirections }: HopOptions,
): Step<Float32Array> {
  const probes = Math.floor(Math.min(initialDirections * Math.sqrt(step + 1), maxDirections));
  const images = Array.from({ length: probes }, (_, i) => probeOf(task, image, reach, step * maxDirections + i));
  const signs = (yield images.map((probe) => ({ image: probe }))).map(({ success }) => (success ? 1 : -1));
  const mean = signs.reduce((sum, sign) => sum + sign, 0) / probes;
  const direction = new Float32Array(image.length);
  images.forEach((probe, k) => {
    const weight = Math.abs(mean) === 1 ? mean : signs[k] - mean;
    for (let i = 0; i < image.length; i++) direction[i] += weight * (probe[i] - image[i]);
  });
  const length = lengthOf(direction) || 1;
  return direction.map((v) => (task.budget.norm === "linf" ? Math.sign(v) : v / length));
}

/** The image moved by `reach` in a random direction, within [0,1]. */
function probeOf(task: QueryTask, image: Float32Array, reach: number, draw: number): Float32Array {
  const key = keyOf(task, "attack-noise", draw);
  const noise = task.budget.norm === "linf" ? uniform(key, image.length, -1, 1) : normal(key, image.length);
  const scale = reach / lengthOf(noise);
  return image.map((v, i) => Math.min(Math.max(v + scale * noise[i], 0), 1));
}

const lengthOf = (v: Float32Array): number => NORMS.l2.distance(v, new Float32Array(v.length));

/** The number of times that a jump is halved. After it, the jump is below float32's resolution. */
const HALVINGS = 40;

/** Moves along the direction, half as far until the image meets the goal. */
function* jump(image: Float32Array, direction: Float32Array, far: number): Step<Float32Array> {
  for (let halving = 0; halving < HALVINGS; halving++) {
    const size = far / 2 ** halving;
    const moved = image.map((v, i) => Math.min(Math.max(v + size * direction[i], 0), 1));
    if (yield* meets(moved)) return moved;
  }
  return image;
}

export const hopskipjump = method({
  about: "jumps along the normal of the boundary that labels of probes show, and returns to the boundary by bisection",
  source: "Chen et al. 2020",
  access: "label",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf"],
  targeted: true,
  losses: [],
  parameters: {
    steps: count(64, "jumps"),
    queries: queries(25_000),
    initialDirections: count(100, "probes of the first jump; jump t has the root of t times as many"),
    maxDirections: count(10_000, "the most probes of a jump"),
    gamma: amount(1, "factor of the bisection's precision, which is 1 / d^1.5 in L2 and 1 / d^2 in Linf"),
  },
  start: (task, options) => {
    const nearest = new Nearest(task);
    return limited(hop(task, options, nearest), options.queries, () => nearest.found());
  },
});
