/** @file Pixle: copies the pixels of a small patch to random places. Source: Pomponi et al. 2022,
 *  "Pixle: a fast and effective black-box attack based on rearranging pixels", algorithm 1 (random
 *  mapping, one update per restart). */

import { uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { count } from "../parameters.js";
import type { QuerySearch } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";

interface PixleOptions {
  readonly restarts: number;
  readonly steps: number;
  readonly leastSide: number;
  readonly mostSide: number;
}

function* attack(task: QueryTask, options: PixleOptions): QuerySearch<"scores"> {
  let kept = task.sample.pixels;
  let [{ loss: most }] = yield [{ image: kept }];
  for (let restart = 0; restart < options.restarts; restart++) {
    let next = kept;
    for (let step = 0; step < options.steps; step++) {
      const image = proposal(task, options, kept, restart * options.steps + step);
      if (!within(task, image)) continue;
      const [{ loss, success }] = yield [{ image }];
      if (success) return { image, success };
      if (loss > most) [next, most] = [image, loss];
    }
    kept = next;
  }
  return { image: kept, success: false };
}

const within = ({ budget, sample }: QueryTask, image: Float32Array): boolean =>
  budget.radius === undefined || NORMS[budget.norm].distance(image, sample.pixels) <= budget.radius;

/** The image with the clean pixels of a random patch at random places. */
function proposal(
  task: QueryTask,
  { leastSide, mostSide }: PixleOptions,
  from: Float32Array,
  draw: number,
): Float32Array {
  const { sample, dims } = task;
  const [channels, height, width] = dims;
  const draws = uniform(keyOf(task, "attack-choice", draw), 4 + 2 * mostSide * mostSide);
  const side = (u: number) => leastSide + Math.floor(u * (mostSide - leastSide + 1));
  const [top, left] = [Math.floor(draws[0] * (height - 1)), Math.floor(draws[1] * (width - 1))];
  const [rows, columns] = [Math.min(side(draws[2]), height - top), Math.min(side(draws[3]), width - left)];
  const image = Float32Array.from(from);
  for (let k = 0; k < rows * columns; k++) {
    const [row, column] = [top + Math.floor(k / columns), left + (k % columns)];
    const to = Math.floor(draws[4 + 2 * k] * height) * width + Math.floor(draws[5 + 2 * k] * width);
    for (let c = 0; c < channels; c++)
      image[c * height * width + to] = sample.pixels[(c * height + row) * width + column];
  }
  return image;
}

export const pixle = method({
  about: "copies the pixels of a small patch to random places, and keeps the copies that help most",
  source: "Pomponi et al. 2022",
  access: "scores",
  scope: "sample",
  budget: "closest",
  norms: ["l0"],
  targeted: true,
  losses: ["margin", "cross-entropy", "scaled-cross-entropy"],
  parameters: {
    restarts: count(20, "number of patches that stay"),
    steps: count(10, "patches that are tried for each one that stays"),
    leastSide: count(2, "shortest side of a patch, in pixels"),
    mostSide: count(
      ({ before: { leastSide } }) => Math.max(10, Number(leastSide)),
      "longest side of a patch, in pixels",
      {
        usual: "10",
      },
    ),
  },
  start: attack,
});
