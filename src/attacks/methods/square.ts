/** @file Square Attack: random search over squares. A proposal that raises the loss becomes the
 *  next image. Source: Andriushchenko et al. 2020, "Square Attack: a query-efficient black-box
 *  adversarial attack via random search". */

import { uniform } from "../../core/rng.js";
import { amount, count, flag } from "../parameters.js";
import type { QuerySearch } from "../question.js";
import { keyOf, method, type QueryTask } from "./method.js";
import { firstImage, nextImage, type SquareBoard } from "./square-moves.js";

interface SquareOptions {
  readonly queries: number;
  /** Share of the area that the first squares cover. */
  readonly p: number;
  /** Whether the schedule of shares is stretched or shrunk to the number of queries. */
  readonly rescaleSchedule: boolean;
  readonly restarts: number;
}

function* attack(task: QueryTask, options: SquareOptions): QuerySearch<"scores"> {
  let found = yield* search(task, options, 0);
  for (let restart = 1; restart < options.restarts && !found.success; restart++) {
    const next = yield* search(task, options, restart);
    if (next.success || next.loss > found.loss) found = next;
  }
  return { image: found.image, success: found.success };
}

interface Kept {
  readonly image: Float32Array;
  readonly loss: number;
  readonly success: boolean;
}

/** One random search. Ends at the first success. */
function* search(task: QueryTask, options: SquareOptions, restart: number): QuerySearch<"scores", Kept> {
  const board = boardOf(task);
  let image = firstImage(board, drawsOf(task, "attack-start", restart));
  let [shown] = yield [{ image }];
  let best: Kept = { image, ...shown };
  for (let step = 0; step < options.queries - 1 && !best.success; step++) {
    const draw = drawsOf(task, "attack-choice", restart * options.queries + step);
    image = nextImage(board, best.image, options.p * shareAt(step, options), draw);
    [shown] = yield [{ image }];
    if (shown.success || shown.loss > best.loss) best = { image, ...shown };
  }
  return best;
}

export const boardOf = ({ budget, dims, sample }: QueryTask): SquareBoard => ({
  norm: budget.norm as SquareBoard["norm"],
  radius: budget.radius ?? 0,
  dims,
  clean: sample.pixels,
});

/** More numbers than a step needs: places, directions and one sign per channel. Those of the first
 * image come in blocks. */
export function drawsOf(task: QueryTask, purpose: "attack-start" | "attack-choice", step: number): () => number {
  const [channels, height, width] = task.dims;
  const most = purpose === "attack-start" ? channels * width + (channels + 1) * height * width : 5 + channels;
  const numbers = uniform(keyOf(task, purpose, step), most);
  let next = 0;
  return () => numbers[next++];
}

/** Queries of a search of 10 000 after which the share of the area is halved again. */
const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** The share of the area of a step, relative to the first share. */
export function shareAt(
  step: number,
  { queries, rescaleSchedule }: Pick<SquareOptions, "queries" | "rescaleSchedule">,
): number {
  const at = rescaleSchedule ? Math.floor((step / queries) * 10_000) : step;
  return 2 ** -HALVINGS.filter((from) => at > from).length;
}

export const square = method({
  about: "random squares of changes; one that raises the loss is kept",
  source: "Andriushchenko et al. 2020",
  access: "scores",
  scope: "sample",
  budget: "radius",
  norms: ["linf", "l2", "l1"],
  targeted: true,
  losses: ["margin", "cross-entropy"],
  parameters: {
    queries: count(5000, "queries of a run, at most"),
    p: amount(0.8, "share of the area that the first squares cover", { most: 1 }),
    rescaleSchedule: flag(false, "fit the schedule of shares, made for 10 000 queries, to the number of queries"),
    restarts: count(1, "runs, each with its own random numbers"),
  },
  start: attack,
});
