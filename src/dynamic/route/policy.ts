/** @file The exit rules, and policies with checked thresholds. */
import { DynnError } from "../../core/errors.js";
import {
  type Fallback,
  NEVER,
  NEVER_FIRES,
  type Policy,
  type Rule,
  type Threshold,
  thresholdCount,
} from "../../schema/policy.js";

/** The confidence of a rule in the logits of one exit. The exit fires when
 * `fires(confidence, threshold)` is true. Patience uses no confidence. It counts exits that agree
 * (see route). */
export interface RuleDef {
  readonly confidence: (probabilities: Float64Array) => number;
  readonly fires: (confidence: number, threshold: number) => boolean;
  /** The smallest and the largest threshold that make sense with this number of classes. */
  readonly range: (classes: number) => readonly [number, number];
  /** Ranks exits by confidence. The best exit has the largest rank. */
  readonly rank: (confidence: number) => number;
}

/** The two largest elements. Minus infinity in place of a missing number, so that logits with NaN
 * never look confident. */
const topTwo = (p: Float64Array): readonly [number, number] => {
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of p)
    if (v > first) [first, second] = [v, first];
    else if (v > second) second = v;
  return [first, second];
};

const atLeast = (confidence: number, threshold: number): boolean => confidence >= threshold;
const maxSoftmax = (p: Float64Array): number => topTwo(p)[0];

export const RULE_DEFS = {
  "max-softmax": { confidence: maxSoftmax, fires: atLeast, range: () => [0, 1], rank: (c) => c },
  entropy: {
    confidence: entropy,
    fires: (c, t) => c <= t,
    range: (classes) => [0, Math.log(classes)],

    rank: (c) => -c,
  },
  margin: {
    confidence: (p) => {
      const [first, second] = topTwo(p);
      return first - second;
    },
    fires: atLeast,
    range: () => [0, 1],

    rank: (c) => c,
  },
  patience: {
    confidence: maxSoftmax,
    fires: atLeast,
    range: () => [1, Number.MAX_SAFE_INTEGER],
    rank: (c) => c,
  },
} as const satisfies Record<Rule, RuleDef>;

/** Entropy in nats. */
function entropy(p: Float64Array): number {
  let sum = 0;
  for (const v of p) if (v !== 0) sum -= v * Math.log(v);
  return sum;
}

/** Softmax of one row of logits over `temperature`, in float64 with the maximum subtracted. */
export function softmaxRow(logits: Float32Array, temperature = 1): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (const v of logits) max = Math.max(max, v);
  const p = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < p.length; i++) {
    p[i] = Math.exp((logits[i] - max) / temperature);
    total += p[i];
  }
  for (let i = 0; i < p.length; i++) p[i] = p[i] / total;
  return p;
}

/** Index of the largest element. The first one, if several are equal. */
export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** Makes a policy with one threshold for every early exit, or with the given list.
 * @param given numbers in the rule's range, or {@link NEVER}, or the rule's own number for never
 * @param temperatures one per exit, with the final exit. The default is 1
 * @throws DynnError 'policy/value' when a threshold or temperature is out of range or a list has
 *  the wrong length */
export function makePolicy(
  rule: Rule,
  given: readonly Threshold[],
  fallback: Fallback,
  model: { readonly exits: number; readonly classes: number },
  temperatures?: readonly number[],
): Policy {
  if (temperatures) checkTemperatures(temperatures, model.exits);
  const wanted = thresholdCount(rule, model.exits);
  const { range } = RULE_DEFS[rule];
  const never = NEVER_FIRES[rule];
  const thresholds = given.map((t) => (t === NEVER ? never : t));
  if (thresholds.length !== 1 && thresholds.length !== wanted)
    throw new DynnError(
      "policy/value",
      wanted > 1
        ? `thresholds: got ${thresholds.length}, expected 1 or ${wanted} (one per early exit). List one number, or one per early exit.`
        : `thresholds: got ${thresholds.length}, expected 1. List one number.`,
      { rule, thresholds, expected: wanted },
    );
  const [low, high] = range(model.classes);
  const fits = (t: number) => t >= low && t <= high && (rule !== "patience" || Number.isInteger(t));
  const bad = thresholds.find((t) => t !== never && !fits(t));
  if (bad !== undefined)
    throw new DynnError(
      "policy/value",
      `threshold ${bad}: rule ${rule} takes ${rule === "patience" ? "a whole number of exits, 1 or more" : `numbers from ${low} to ${Number(high.toFixed(4))}`}. Choose one in that range, write never for an exit that must not fire, or let dynn choose.`,
      { rule, thresholds, options: ["threshold"] },
    );
  const [first] = thresholds;
  return {
    rule,
    fallback,
    thresholds:
      thresholds.length === wanted || first === undefined ? thresholds : new Array<number>(wanted).fill(first),
    ...(temperatures ? { temperatures } : {}),
  };
}

/** @throws DynnError 'policy/value' */
function checkTemperatures(temperatures: readonly number[], exits: number): void {
  if (temperatures.length !== exits)
    throw new DynnError(
      "policy/value",
      `temperatures: got ${temperatures.length}, expected ${exits} (one per exit, the final one's included). List one number per exit, or none.`,
      { temperatures, expected: exits },
    );
  const bad = temperatures.find((t) => !(t > 0 && t < Number.POSITIVE_INFINITY));
  if (bad !== undefined)
    throw new DynnError(
      "policy/value",
      `temperature ${bad}: expected a number above 0. Use 1 to leave an exit's confidences as they are.`,
      { temperatures },
    );
}
