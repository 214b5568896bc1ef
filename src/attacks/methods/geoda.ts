/** @file GeoDA: estimates the normal of the decision boundary once per round, and searches along it
 *  from the image for the boundary. Source: Rahmati et al. 2020, "GeoDA: a geometric framework for
 *  black-box adversarial attacks". */

import { normal } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { Query, QuerySearch, Shown } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { limited, meets, Nearest, noiseStart, queries, toBoundary } from "./nearest.js";
import { mixed, waveCount } from "./waves.js";

interface GeodaOptions {
  readonly queries: number;
  readonly rounds: number;
  readonly frequencies: number;
  readonly sigma: number;
  readonly growth: number;
}

type Step<T> = Generator<readonly Query[], T, readonly Shown["label"][]>;

/** The gap at which a bisection ends, as a share of the distance. */
const PRECISION = 1e-4;

function* search(task: QueryTask, options: GeodaOptions, nearest: Nearest): QuerySearch<"label", void> {
  const start = yield* noiseStart(task, 1000, 50);
  if (start === undefined) return;
  let image = yield* toBoundary(task, start, PRECISION);
  nearest.offer(image);
  let drawn = 0;
  for (const probes of sharesOf(options)) {
    const direction = yield* normalAt(task, image, drawn, probes, options);
    drawn += probes;
    const along = yield* alongNormal(task, image, direction);
    if (along === undefined) continue;
    image = yield* toBoundary(task, along, PRECISION);
    nearest.offer(image);
  }
}

/** Probes per round: they grow by a factor from round to round, and sum to three quarters of the
 * queries. The searches for the boundary need the others. */
function sharesOf({ queries: most, rounds, growth }: GeodaOptions): number[] {
  const weights = Array.from({ length: rounds }, (_, t) => growth ** t);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => Math.max(1, Math.floor((0.75 * most * weight) / sum)));
}

/** The mean of random low-frequency directions, each with the sign of its label. */
function* normalAt(
  task: QueryTask,
  image: Float32Array,
  drawn: number,
  probes: number,
  { frequencies, sigma }: GeodaOptions,
): Step<Float32Array> {
  const noises = Array.from({ length: probes }, (_, k) => smoothNoise(task, drawn + k, frequencies));
  const replies = yield noises.map((noise) => ({
    image: image.map((v, i) => Math.min(Math.max(v + sigma * noise[i], 0), 1)),
  }));
  const direction = new Float32Array(image.length);
  noises.forEach((noise, k) => {
    const sign = replies[k].success ? 1 : -1;
    for (let i = 0; i < direction.length; i++) direction[i] += sign * noise[i];
  });
  return direction;
}

/** Gaussian noise in the space of the lowest cosine waves. */
const smoothNoise = (task: QueryTask, draw: number, frequencies: number): Float32Array =>
  mixed(normal(keyOf(task, "attack-noise", draw), waveCount(task.dims, frequencies)), task.dims, frequencies);

/** The number of times that the distance along the normal grows. */
const GROWTHS = 60;

/** The first image from the clean one along the normal that meets the goal. */
function* alongNormal(task: QueryTask, image: Float32Array, direction: Float32Array): Step<Float32Array | undefined> {
  const { sample, budget } = task;
  const reach = NORMS[budget.norm].distance(image, sample.pixels);
  for (let k = 0; k < GROWTHS; k++) {
    const moved = Float32Array.from(sample.pixels);
    NORMS[budget.norm].step(moved, direction, 0.5 * reach * 1.1 ** k);
    for (let i = 0; i < moved.length; i++) moved[i] = Math.min(Math.max(moved[i], 0), 1);
    if (yield* meets(moved)) return moved;
  }
  return undefined;
}

export const geoda = method({
  about: "searches for the boundary along its normal, which labels of low-frequency probes show",
  source: "Rahmati et al. 2020",
  access: "label",
  scope: "sample",
  budget: "closest",
  norms: ["l2", "linf"],
  targeted: false,
  losses: [],
  parameters: {
    queries: queries(4000),
    rounds: count(10, "estimates of the normal"),
    frequencies: count(10, "waves per side, from the lowest, that probes are made of"),
    sigma: amount(0.002, "standard deviation of a probe per wave"),
    growth: amount(1.7, "factor by which the probes grow from round to round", { least: 1 }),
  },
  start: (task, options) => {
    const nearest = new Nearest(task);
    return limited(search(task, options, nearest), options.queries, () => nearest.found());
  },
});
