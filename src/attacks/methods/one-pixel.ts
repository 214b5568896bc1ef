/** @file The one pixel attack: differential evolution over places and colours of a few pixels.
 *  Sources: Su et al. 2019, "One pixel attack for fooling deep neural networks"; Storn & Price 1997
 *  (differential evolution; here best/1/bin with a random factor, without recombination). */

import { DynnError } from "../../core/errors.js";
import { uniform } from "../../core/rng.js";
import { counted } from "../../core/units.js";
import { count } from "../parameters.js";
import type { QuerySearch, Shown } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";

interface OnePixelOptions {
  readonly pixels: number;
  readonly steps: number;
  readonly members: number;
}

/** A candidate: for each pixel its row, its column and its colour, all in [0,1]. */
interface Member {
  readonly genes: Float64Array;
  readonly image: Float32Array;
  readonly loss: number;
  readonly success: boolean;
}

function* attack(task: QueryTask, { pixels, steps, members }: OnePixelOptions): QuerySearch<"scores"> {
  const length = pixels * (2 + task.dims[0]);
  const first = uniform(keyOf(task, "attack-start", 0), members * length);
  const start = Array.from({ length: members }, (_, i) =>
    Float64Array.from(first.subarray(i * length, (i + 1) * length)),
  );
  let population = yield* judged(task, start);
  let best = population.reduce(better);
  for (let step = 0; step < steps && !best.success; step++) {
    const trials = yield* judged(task, trialsOf(task, population, best, step));
    population = population.map((member, i) => (trials[i].loss > member.loss ? trials[i] : member));
    best = trials.reduce(better, best);
  }
  return { image: best.image, success: best.success };
}

const better = (a: Member, b: Member): Member => ((a.success === b.success ? b.loss > a.loss : b.success) ? b : a);

function* judged(
  task: QueryTask,
  genes: readonly Float64Array[],
): Generator<readonly { image: Float32Array }[], Member[], readonly Shown["scores"][]> {
  const images = genes.map((own) => painted(task, own));
  const replies = yield images.map((image) => ({ image }));
  return genes.map((own, i) => ({ genes: own, image: images[i], ...replies[i] }));
}

/** The clean image with the pixels of a candidate. */
function painted({ sample, dims: [channels, height, width] }: QueryTask, genes: Float64Array): Float32Array {
  const image = Float32Array.from(sample.pixels);
  for (let at = 0; at < genes.length; at += 2 + channels) {
    const row = Math.min(Math.floor(genes[at] * height), height - 1);
    const column = Math.min(Math.floor(genes[at + 1] * width), width - 1);
    for (let c = 0; c < channels; c++) image[(c * height + row) * width + column] = genes[at + 2 + c];
  }
  return image;
}

/** For each member, the best one plus a multiple of the difference of two others. A gene beyond
 * [0,1] is drawn anew. */
function trialsOf(task: QueryTask, population: readonly Member[], best: Member, step: number): Float64Array[] {
  const { length } = best.genes;
  const draws = uniform(keyOf(task, "attack-choice", step), 1 + population.length * (2 + length));
  const factor = 0.5 + draws[0] / 2;
  return population.map((_, i) => {
    const own = draws.subarray(1 + i * (2 + length), 1 + (i + 1) * (2 + length));
    const [p, q] = othersOf(population, i, own);
    return best.genes.map((gene, k) => {
      const value = gene + factor * (p.genes[k] - q.genes[k]);
      return value >= 0 && value <= 1 ? value : own[2 + k];
    });
  });
}

/** Two different members other than member i. */
function othersOf(
  population: readonly Member[],
  i: number,
  draws: Float32Array | Float64Array,
): readonly [Member, Member] {
  const others = population.filter((_, k) => k !== i);
  const first = Math.floor(draws[0] * others.length);
  const [p] = others.splice(first, 1);
  return [p, others[Math.floor(draws[1] * others.length)]];
}

export const onePixel = method({
  about: "differential evolution over the places and colours of a few pixels",
  source: "Su et al. 2019",
  access: "scores",
  scope: "sample",
  budget: "closest",
  norms: ["l0"],
  targeted: true,
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"],
  parameters: {
    pixels: count(1, "number of pixels that change, with all their channels"),
    steps: count(10, "most generations after the first"),
    members: count(10, "candidates in a generation", { least: 4 }),
  },
  check: ({ pixels }, where, { radius, victim }) => {
    const values = pixels * Number(victim.model.input.shape[1]);
    if (radius === undefined || radius >= values) return;
    throw new DynnError(
      "attack/config",
      `${where}, radius: got ${radius}, but ${counted(pixels, "pixel has", "pixels have")} ${counted(values, "value")}. Raise the radius, or remove it.`,
      { radius, values },
    );
  },
  start: attack,
});
