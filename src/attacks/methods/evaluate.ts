/** @file The questions that most methods ask: one image under the loss that belongs to it. */

import { ask, type Evaluation, type Question } from "../question.js";
import { toEightBits } from "../sample.js";
import type { Task } from "./method.js";

/** An evaluation and its loss. */
export interface Followed extends Evaluation {
  /** Index of the loss in the goal's list. */
  readonly at: number;
}

export type Extras = Partial<Pick<Question, "target" | "targets" | "extra" | "sample" | "gradient" | "candidate">>;

/** Evaluates an image under its loss. Repeats the question where the goal names another loss for
 * the new logits. Two prefixes can differ in the last bit near a threshold, so the number of
 * questions is bounded. */
export function* evaluate(
  { goal }: Pick<Task, "goal">,
  image: Float32Array,
  loss: number,
  gradient = true,
  extras: Extras = {},
): Generator<readonly Question[], Followed, readonly Evaluation[]> {
  let at = loss;
  for (let asked = 0; ; asked++) {
    const evaluation = yield* ask({ image, loss: goal.losses[at], gradient, goal, ...extras });
    const right = goal.follow?.(evaluation.logits, at) ?? at;
    if (right === at || asked > goal.losses.length) return { ...evaluation, at };
    at = right;
  }
}

/** {@link evaluate} for several images at once. Each has its own loss. */
export function* evaluateAll(
  { goal }: Pick<Task, "goal">,
  images: readonly Float32Array[],
  losses: readonly number[],
  gradient = true,
  extras: (i: number) => Extras = () => ({}),
): Generator<readonly Question[], Followed[], readonly Evaluation[]> {
  const found = new Array<Followed>(images.length);
  const at = [...losses];
  let open = images.map((_, i) => i);
  for (let asked = 0; open.length > 0; asked++) {
    const replies = yield open.map((i) => ({
      image: images[i],
      loss: goal.losses[at[i]],
      gradient,
      goal,
      ...extras(i),
    }));
    open.forEach((i, k) => {
      found[i] = { ...replies[k], at: at[i] };
    });
    open = open.filter((i) => {
      const right = goal.follow?.(found[i].logits, at[i]) ?? at[i];
      const moves = right !== at[i] && asked <= goal.losses.length;
      at[i] = right;
      return moves;
    });
  }
  return found;
}

/** Whether an iterate succeeds even after rounding to 8 bits. */
export function* survivesRounding(
  task: Task,
  image: Float32Array,
  loss: number,
  extras: Extras = {},
): Generator<readonly Question[], boolean, readonly Evaluation[]> {
  const rounded = yield* evaluate(task, toEightBits(image), loss, false, extras);
  return task.goal.succeeded(task.sample, rounded);
}
