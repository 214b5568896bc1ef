/** @file Whether a network spends more on difficult samples: the rank correlation of cost with
 *  difficulty, costs from easy to hard samples, and the costs of right and of wrong answers. A
 *  difficulty is any number that rises with it, such as the cross-entropy of a network that runs
 *  whole. */
import { meanCostFraction } from "./cost.js";
import type { Interval } from "./mean.js";
import { hierarchicalBootstrap } from "./statistics/bootstrap.js";
import { spearmanInterval } from "./statistics/correlation.js";

/** The logit of the true class minus the largest of the others. A large margin is an easy
 * sample. */
export function trueMargin(logits: ArrayLike<number>, label: number): number {
  let other = -Infinity;
  for (let i = 0; i < logits.length; i++) if (i !== label && logits[i] > other) other = logits[i];
  return logits[label] - other;
}

/** -log softmax(logits)[label], in nats. */
export function crossEntropyOf(logits: ArrayLike<number>, label: number): number {
  const top = Math.max(...Array.from(logits));
  const sum = Array.from(logits).reduce((total, z) => total + Math.exp(z - top), 0);
  return Math.log(sum) + top - logits[label];
}

/** Samples in a correlation with an interval. */
const LEAST = 10;

/** Spearman's rank correlation of cost with difficulty, and its interval. Null when one of them
 * does not vary, and for fewer than ten samples.
 * @param costs one per sample
 * @param difficulties one per sample */
export function costRelation(costs: readonly number[], difficulties: readonly number[]): Interval | null {
  if (costs.length < LEAST) return null;
  const found = spearmanInterval(costs, difficulties);
  return Number.isNaN(found.value) ? null : found;
}

/** A quarter of the samples, by difficulty. */
export interface Quarter {
  readonly samples: number;
  readonly meanCostFraction: number;
  /** Share of right answers. */
  readonly accuracy: number;
}

/** The samples in four groups from easy to hard, whose sizes differ by at most one. Samples of
 * equal difficulty stay in their order. Empty for fewer than four samples.
 * @param costs, difficulties, right one per sample */
export function quarters(
  costs: readonly number[],
  difficulties: readonly number[],
  right: readonly boolean[],
): Quarter[] {
  if (costs.length < 4) return [];
  const order = [...costs.keys()].sort((a, b) => difficulties[a] - difficulties[b] || a - b);
  const end = (quarter: number) => Math.round((quarter * order.length) / 4);
  return [0, 1, 2, 3].map((quarter) => {
    const own = order.slice(end(quarter), end(quarter + 1));
    return {
      samples: own.length,
      meanCostFraction: meanCostFraction(own.map((i) => costs[i])),
      accuracy: own.filter((i) => right[i]).length / own.length,
    };
  });
}

/** Mean costs of right and of wrong answers. */
export interface AnswerCosts {
  /** Null: no answer is right. */
  readonly right: number | null;
  /** Null: no answer is wrong. */
  readonly wrong: number | null;
  /** Wrong minus right, with its bootstrap interval. Null for fewer than twenty right or wrong
   * answers. */
  readonly difference: Interval | null;
}

/** Draws without a right or a wrong answer would have no difference. With this number of each, none
 * occurs in practice. */
const LEAST_ANSWERS = 20;
const DRAWS = 2000;

/** Compares the costs of right and of wrong answers. A draw of the bootstrap takes samples, each
 * with its cost and its answer.
 * @param costs, right one per sample
 * @example
 * costsByAnswer([0.4, 0.9], [true, false]); // { right: 0.4, wrong: 0.9, difference: null } */
export function costsByAnswer(costs: readonly number[], right: readonly boolean[]): AnswerCosts {
  const mean = (is: boolean): number | null => {
    const own = costs.filter((_, i) => right[i] === is);
    return own.length === 0 ? null : meanCostFraction(own);
  };
  const answers = { right: mean(true), wrong: mean(false) };
  const rights = right.filter(Boolean).length;
  if (Math.min(rights, right.length - rights) < LEAST_ANSWERS) return { ...answers, difference: null };
  return { ...answers, difference: difference(costs, right) };
}

function difference(costs: readonly number[], right: readonly boolean[]): Interval {
  const of = (is: boolean) => right.map((one) => Number(one === is));
  const costOf = (is: boolean) => costs.map((cost, i) => (right[i] === is ? cost : 0));
  const {
    value,
    percentile: [low, high],
  } = hierarchicalBootstrap([[costOf(false), of(false), costOf(true), of(true)]], {
    value: ([wrongCost, wrong, rightCost, rights]) =>
      wrong > 0 && rights > 0 ? wrongCost / wrong - rightCost / rights : 0,
    draws: DRAWS,
  });
  return { value, low, high };
}
