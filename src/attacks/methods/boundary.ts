/** @file The boundary attack: a random walk along the decision boundary towards the image. Each
 *  proposal is a step on the sphere around the image and a step towards the image. Source: Brendel
 *  et al. 2018; the sizes of the steps adapt as in Foolbox 3. */

import { normal } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, count } from "../parameters.js";
import type { QuerySearch } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { firstSuccess, limited, meets, Nearest, queries } from "./nearest.js";

interface BoundaryOptions {
  readonly steps: number;
  readonly sphericalStep: number;
  readonly sourceStep: number;
  readonly adaptation: number;
  readonly leastStep: number;
}

/** The sizes of both steps, relative to the distance. They follow shares of successes. */
class Sizes {
  spherical: number;
  source: number;
  readonly #adaptation: number;
  #onSphere: boolean[] = [];
  #closer: boolean[] = [];

  constructor({ sphericalStep, sourceStep, adaptation }: BoundaryOptions) {
    this.spherical = sphericalStep;
    this.source = sourceStep;
    this.#adaptation = adaptation;
  }

  /** Takes whether the point on the sphere, and the point after both steps, meet the goal. */
  learn(onSphere: boolean, closer: boolean): void {
    this.#onSphere.push(onSphere);
    this.#closer.push(closer);
    const both = this.#factor(this.#onSphere, 100, 0.2, 0.5);
    if (both !== 1) this.#onSphere = [];
    const one = this.#factor(this.#closer, 30, 0.1, 0.25);
    if (one !== 1) this.#closer = [];
    this.spherical *= both;
    this.source *= both * one;
  }

  /** Larger steps after many successes, smaller ones after few. 1 before enough trials. */
  #factor(trials: readonly boolean[], enough: number, few: number, many: number): number {
    if (trials.length < enough) return 1;
    const share = trials.slice(-enough).filter(Boolean).length / enough;
    if (share > many) return this.#adaptation;
    return share < few ? 1 / this.#adaptation : 1;
  }
}

/** Steps between two trials of the point on the sphere. */
const TRIAL_EVERY = 10;

function* walk(task: QueryTask, options: BoundaryOptions, nearest: Nearest): QuerySearch<"label", void> {
  let image = yield* firstSuccess(task);
  if (image === undefined) return;
  nearest.offer(image);
  const sizes = new Sizes(options);
  const { distance } = NORMS.l2;
  for (let step = 1; step <= options.steps && sizes.source >= options.leastStep; step++) {
    const { onSphere, closer } = proposal(task, image, sizes, step);
    const success = yield* meets(closer);
    if (step % TRIAL_EVERY === 0) sizes.learn(yield* meets(onSphere), success);
    const gain = distance(closer, task.sample.pixels) < distance(image, task.sample.pixels);
    if (success && gain) image = closer;
    nearest.offer(image);
  }
}

/** A random point on the sphere around the clean image through the image, and the same point after
 * a step towards the clean image. */
function proposal(
  task: QueryTask,
  image: Float32Array,
  { spherical, source }: Sizes,
  step: number,
): { readonly onSphere: Float32Array; readonly closer: Float32Array } {
  const { pixels } = task.sample;
  const radius = NORMS.l2.distance(image, pixels);
  const noise = acrossTo(normal(keyOf(task, "attack-noise", step), pixels.length), image, pixels);
  const scale = (spherical * radius) / lengthOf(noise);
  const shrink = 1 / Math.sqrt(spherical ** 2 + 1);
  const onSphere = pixels.map((c, i) => clamp01(c + shrink * (scale * noise[i] + image[i] - c)));
  const reached = NORMS.l2.distance(onSphere, pixels);
  const share = Math.max(source * radius + reached - radius, 0) / reached;
  return { onSphere, closer: onSphere.map((v, i) => clamp01(v + share * (pixels[i] - v))) };
}

/** The noise without its component along the line from the clean image to the image. */
function acrossTo(noise: Float32Array, image: Float32Array, clean: Float32Array): Float32Array {
  let [along, square] = [0, 0];
  for (let i = 0; i < noise.length; i++) {
    const line = image[i] - clean[i];
    along += noise[i] * line;
    square += line * line;
  }
  return noise.map((v, i) => v - (along / square) * (image[i] - clean[i]));
}

const clamp01 = (v: number): number => Math.min(Math.max(v, 0), 1);
const lengthOf = (v: Float32Array): number => NORMS.l2.distance(v, new Float32Array(v.length));

export const boundary = method({
  about: "a random walk along the boundary, on the sphere around the image and towards the image",
  source: "Brendel et al. 2018",
  access: "label",
  scope: "sample",
  budget: "closest",
  norms: ["l2"],
  targeted: true,
  losses: [],
  parameters: {
    steps: count(25_000, "proposals"),
    queries: queries(30_000),
    sphericalStep: amount(0.01, "first length of the step on the sphere, as a share of the distance"),
    sourceStep: amount(0.01, "first length of the step towards the image, as a share of the distance"),
    adaptation: amount(1.5, "factor by which the steps grow or shrink", { least: 1 }),
    leastStep: amount(1e-7, "step towards the image below which the walk ends"),
  },
  start: (task, options) => {
    const nearest = new Nearest(task);
    return limited(walk(task, options, nearest), options.queries, () => nearest.found());
  },
});
