/** @file A random search that raises the cost of the routed answer. It sees the exit taken and,
 *  where the model returns it, the confidence. Its proposals are those of Square Attack.
 *  Source: dynn; the proposals: Andriushchenko et al. 2020. */

import { amount, flag } from "../parameters.js";
import type { Query, QuerySearch, Shown } from "../question.js";
import { method, type QueryTask } from "./method.js";
import { limited, queries } from "./nearest.js";
import { boardOf, drawsOf, shareAt } from "./square.js";
import { firstImage, nextImage } from "./square-moves.js";

interface WalkOptions {
  readonly queries: number;
  readonly p: number;
  readonly confidence: boolean;
}

/** An image and what the model showed for it. */
interface Seen {
  readonly image: Float32Array;
  readonly shown: Shown["cost"];
}

function* look(image: Float32Array): Generator<readonly Query[], Seen, readonly Shown["cost"][]> {
  const [shown] = yield [{ image }];
  return { image, shown };
}

/** Whether the first is the better one: it meets the goal, costs more, or is less sure at the same
 * cost. */
function isBetter({ shown: a }: Seen, { shown: b }: Seen, byConfidence: boolean): boolean {
  if (a.success !== b.success) return a.success;
  if (a.cost !== b.cost) return a.cost > b.cost;
  return byConfidence && a.confidence < b.confidence;
}

/** Walks until an image meets the goal. */
function* walk(task: QueryTask, options: WalkOptions, keep: (seen: Seen) => void): QuerySearch<"cost", void> {
  const board = boardOf(task);
  let best = yield* look(task.sample.pixels);
  keep(best);
  let next = firstImage(board, drawsOf(task, "attack-start", 0));
  for (let step = 0; !best.shown.success; step++) {
    const seen = yield* look(next);
    if (isBetter(seen, best, options.confidence)) {
      best = seen;
      keep(best);
    }
    const share = options.p * shareAt(step, { ...options, rescaleSchedule: true });
    next = nextImage(board, best.image, share, drawsOf(task, "attack-choice", step));
  }
}

export const costWalk = method({
  about:
    "random squares of changes; one that makes the routed answer cost more, or less sure at the same cost, is kept",
  source: "dynn",
  access: "cost",
  scope: "sample",
  budget: "radius",
  norms: ["linf", "l2", "l1"],
  targeted: false,
  losses: [],
  parameters: {
    queries: queries(2000),
    p: amount(0.8, "share of the area that the first squares cover", { most: 1 }),
    confidence: flag(true, "whether the model returns its confidence, which then breaks ties of cost"),
  },
  start: (task, options) => {
    let best: Seen | undefined;
    const keep = (seen: Seen) => {
      best = seen;
    };
    return limited(walk(task, options, keep), options.queries, () => ({
      image: best?.image ?? task.sample.pixels,
      success: best?.shown.success === true,
    }));
  },
});
