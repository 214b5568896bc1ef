/** @file Hides from a query method what its access does not show. The method asks about images. The
 *  questions behind hold a loss and all logits, and the method sees only the permitted part. */

import { costShareOf } from "../../dynamic/model/units.js";
import { RULE_DEFS } from "../../dynamic/route/policy.js";
import { routeOne } from "../../dynamic/route/route.js";
import { allExits, exitCount, type Victim } from "../goals/victim.js";
import { evaluateAll, type Followed } from "../methods/evaluate.js";
import type { QueryTask, Task } from "../methods/method.js";
import type { QuerySearch, Search, Shown } from "../question.js";

/** What a query method knows before its first query. */
export function queryTask(
  { sample: { clean: _clean, bits: _bits, full: _full, ...sample }, budget, seed, dims, set }: Task,
  classes: number,
): QueryTask {
  return { sample, budget, seed, dims, set, classes };
}

/** Turns a search with little access into one for the oracle. */
export function* restrict<A extends keyof Shown, Found>(
  search: QuerySearch<A, Found>,
  task: Task,
  access: A,
  victim: Victim,
): Search<Found> {
  const shown = access === "cost" ? withAllExits(task, victim) : task;
  let step = search.next();
  while (!step.done) {
    const images = step.value.map(({ image }) => image);
    const start = task.goal.starts(task.sample)[0];
    const evaluations = yield* evaluateAll(
      shown,
      images,
      images.map(() => start),
      false,
    );
    step = search.next(evaluations.map((evaluation) => VIEWS[access](evaluation, task, victim)));
  }
  return step.value;
}

/** The task with losses that compute every exit. The exit taken depends on all exits before it. */
function withAllExits(task: Task, victim: Victim): Pick<Task, "goal"> {
  const exits = allExits(victim);
  const losses = task.goal.losses.map((loss) => ({ ...loss, key: `${loss.key}/cost`, exits }));
  const { follow: _, ...goal } = task.goal;
  return { goal: { ...goal, losses } };
}

const VIEWS: { readonly [A in keyof Shown]: (evaluation: Followed, task: Task, victim: Victim) => Shown[A] } = {
  scores: (evaluation, { goal, sample }) => ({ loss: evaluation.loss, success: goal.succeeded(sample, evaluation) }),
  label: (evaluation, { goal, sample }) => ({ success: goal.succeeded(sample, evaluation) }),
  cost: (evaluation, { goal, sample }, victim) => {
    const { logits, bits } = evaluation;
    const { model, policy } = victim;
    const routed = routeOne(logits as readonly Float32Array[], policy, exitCount(victim));
    const stop = routed?.stop ?? exitCount(victim) - 1;
    return {
      success: goal.succeeded(sample, evaluation),
      cost: costShareOf(model, { stop, gates: bits }),
      confidence: routed ? RULE_DEFS[policy.rule].rank(routed.confidence) : Number.NaN,
    };
  },
};
