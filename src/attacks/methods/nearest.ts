/** @file What query methods for the closest image share: the closest success so far, a start at
 *  noise, and a bisection towards the image. Other query methods share the limit of queries. */

import { DynnError } from "../../core/errors.js";
import { uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import type { Norm } from "../../schema/norm.js";
import { count } from "../parameters.js";
import type { FoundImage, Query, QuerySearch, Shown } from "../question.js";
import { keyOf, type QueryTask } from "./method.js";

/** The closest success that a search has found. */
export class Nearest {
  image: Float32Array | undefined;
  distance = Number.POSITIVE_INFINITY;
  readonly #task: QueryTask;

  constructor(task: QueryTask) {
    this.#task = task;
  }

  /** Takes an image that meets the goal. Keeps a copy when it is closer than the others. */
  offer(image: Float32Array): void {
    const { sample, budget } = this.#task;
    const distance = NORMS[budget.norm].distance(image, sample.pixels);
    if (distance >= this.distance) return;
    this.image = Float32Array.from(image);
    this.distance = distance;
  }

  /** The closest success within the radius, or the clean image. */
  found(): FoundImage {
    const { sample, budget } = this.#task;
    const within = this.image !== undefined && this.distance <= (budget.radius ?? Number.POSITIVE_INFINITY);
    return within ? { image: this.image as Float32Array, success: true } : { image: sample.pixels, success: false };
  }
}

/** The parameter that limits the queries of a sample. */
export const queries = (fallback: number) => count(fallback, "the most queries for a sample");

/** Runs a search until it ends or until its next questions would exceed the limit. */
export function* limited<A extends keyof Shown>(
  search: QuerySearch<A, void>,
  most: number,
  found: () => FoundImage,
): QuerySearch<A> {
  let [step, left] = [search.next(), most];
  while (!step.done && step.value.length <= left) {
    left -= step.value.length;
    step = search.next(yield step.value);
  }
  return found();
}

/** Whether an image meets the goal. */
export function* meets(image: Float32Array): Generator<readonly Query[], boolean, readonly Shown["label"][]> {
  const [{ success }] = yield [{ image }];
  return success;
}

type Step<T> = Generator<readonly Query[], T, readonly Shown["label"][]>;

/** A success to begin with: at noise, or with a target at an image of that class. Undefined when
 * none meets the goal.
 * @throws DynnError 'attack/start' when no other sample has the target class */
export const firstSuccess = (task: QueryTask): Step<Float32Array | undefined> =>
  task.sample.target === undefined ? noiseStart(task, 1000, 50) : sampleStart(task);

/** The nearest image of the target class, among the other samples, that meets the goal. */
function* sampleStart(task: QueryTask): Step<Float32Array | undefined> {
  const { sample, set, budget } = task;
  const { distance } = NORMS[budget.norm];
  const images = set.filter(({ id, label }) => label === sample.target && id !== sample.id).map((one) => one.pixels);
  if (images.length === 0) throw noStart(task);
  const order = images.map((image) => ({ image, far: distance(image, sample.pixels) }));
  for (const { image } of order.sort((a, b) => a.far - b.far)) if (yield* meets(image)) return image;
  return undefined;
}

const noStart = ({ sample: { id, target } }: QueryTask): DynnError =>
  new DynnError(
    "attack/start",
    `sample ${id}: the attack begins at an image of its target, class ${target}, and no other sample has this class. Attack more samples, or choose another target.`,
    { sample: id, target },
  );

/** A success between the image and uniform noise: the first of `steps` equal steps towards the
 * noise. Undefined when no noise of `tries` meets the goal.
 * Source: the start of Foolbox's decision-based attacks. */
export function* noiseStart(task: QueryTask, tries: number, steps: number): Step<Float32Array | undefined> {
  const { pixels } = task.sample;
  for (let draw = 0; draw < tries; draw++) {
    const noise = uniform(keyOf(task, "attack-start", draw), pixels.length);
    if (!(yield* meets(noise))) continue;
    for (let k = 1; k < steps; k++) {
      const image = between(pixels, noise, k / steps);
      if (yield* meets(image)) return image;
    }
    return noise;
  }
  return undefined;
}

const between = (clean: Float32Array, image: Float32Array, share: number): Float32Array =>
  clean.map((c, i) => (1 - share) * c + share * image[i]);

/** The image moved towards the clean one by bisection, to the closest success.
 * @param precision the gap at which the bisection ends, as a share of the distance */
export function* toBoundary(task: QueryTask, image: Float32Array, precision: number): Step<Float32Array> {
  const { sample, budget } = task;
  let [low, high, best] = [0, 1, image];
  while (high - low > precision) {
    const middle = (low + high) / 2;
    const tried = PULLS[budget.norm](sample.pixels, image, middle);
    if (yield* meets(tried)) [high, best] = [middle, tried];
    else low = middle;
  }
  return best;
}

/** In Linf, every change is clipped to a share of the largest one. */
const clipped = (clean: Float32Array, image: Float32Array, share: number): Float32Array => {
  const most = share * NORMS.linf.distance(clean, image);
  return clean.map((c, i) => c + Math.min(Math.max(image[i] - c, -most), most));
};

/** The image at a share of its distance, by norm. */
const PULLS: Readonly<Record<Norm, typeof between>> = { linf: clipped, l2: between, l1: between, l0: between };
