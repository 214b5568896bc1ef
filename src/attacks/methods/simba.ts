/** @file SimBA: tries one direction of an orthonormal basis after the other, forwards and
 *  backwards, and keeps a step that raises the loss. Source: Guo et al. 2019, "Simple black-box
 *  adversarial attacks". */

import type { ImageDims } from "../../core/images.js";
import { permutation } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { amount, choice, count } from "../parameters.js";
import type { FoundImage, Query, QuerySearch, Shown } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { limited, queries } from "./nearest.js";
import { addWave, waveCount } from "./waves.js";

const BASES = ["pixel", "dct"] as const;

interface SimbaOptions {
  readonly basis: (typeof BASES)[number];
  readonly stepSize: number;
  readonly frequencies: number;
}

/** An image and what the model showed for it. */
type Seen = Shown["scores"] & { readonly image: Float32Array };

function* look(image: Float32Array): Generator<readonly Query[], Seen, readonly Shown["scores"][]> {
  const [shown] = yield [{ image }];
  return { image, ...shown };
}

function* search(task: QueryTask, options: SimbaOptions, keep: (seen: Seen) => void): QuerySearch<"scores", void> {
  let best = yield* look(task.sample.pixels);
  keep(best);
  const size = directionCount(task.dims, options);
  for (let round = 0; ; round++)
    for (const which of permutation(keyOf(task, "attack-choice", round), size))
      for (const sign of [1, -1]) {
        if (best.success) return;
        const seen = yield* look(moved(task, best.image, which, sign, options));
        if (!seen.success && seen.loss <= best.loss) continue;
        best = seen;
        keep(best);
        break;
      }
}

const directionCount = (dims: ImageDims, { basis, frequencies }: SimbaOptions): number =>
  basis === "pixel" ? dims.reduce((size, n) => size * n, 1) : waveCount(dims, frequencies);

/** The image after a step along a direction of the basis, projected into the ball. */
function moved(
  { sample, budget, dims }: QueryTask,
  image: Float32Array,
  which: number,
  sign: number,
  { basis, stepSize, frequencies }: SimbaOptions,
): Float32Array {
  const next = Float32Array.from(image);
  if (basis === "pixel") next[which] += sign * stepSize;
  else addWave(next, dims, which, sign * stepSize, frequencies);
  NORMS[budget.norm].project(next, sample.pixels, budget.radius ?? Number.POSITIVE_INFINITY);
  return next;
}

export const simba = method({
  about: "steps along single pixels or cosine waves in random order; one that raises the loss is kept",
  source: "Guo et al. 2019",
  access: "scores",
  scope: "sample",
  budget: "radius",
  norms: ["l2", "linf"],
  targeted: true,
  losses: ["cross-entropy", "margin"],
  parameters: {
    queries: queries(5000),
    basis: choice(BASES, "pixel", "the directions"),
    stepSize: amount(0.2, "length of a step along a direction"),
    frequencies: count(14, "waves per side, from the lowest, for `dct`"),
  },
  start: (task, options) => {
    let found: FoundImage = { image: task.sample.pixels, success: false };
    const keep = ({ image, success }: Seen) => {
      found = { image, success };
    };
    return limited(search(task, options as SimbaOptions, keep), options.queries, () => found);
  },
});
