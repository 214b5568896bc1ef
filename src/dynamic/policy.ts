/** @file Exit policies: when a dynamic network stops, and what it answers when no early exit fires.
 *  Sources: max-softmax (Kaya et al. 2019, SDN), entropy (BranchyNet 2016), margin, patience (Zhou et al. 2020, PABEE). */
import { DynnError } from "../core/errors.js";

export const RULES = ["max-softmax", "entropy", "margin", "patience"] as const;
/** How an exit judges its confidence. */
export type Rule = (typeof RULES)[number];
export const FALLBACKS = ["final", "most-confident"] as const;
/** Which exit answers when none fires: the final one, or the most confident one. */
export type Fallback = (typeof FALLBACKS)[number];

/** `thresholds` holds one number per early exit; for patience one number, how many exits in a row must agree. An exit that never fires has
 *  its rule's `never`. */
export interface Policy {
  /** How exits judge their confidence. */
  readonly rule: Rule;
  /** One number per early exit. For patience one number in all. */
  readonly thresholds: readonly number[];
  /** Which exit answers when none fires. */
  readonly fallback: Fallback;
  /** What each exit's logits are divided by before the softmax that confidences are taken from, the final exit's included; left out: 1.
   *  Source: temperature scaling, Guo et al. 2017. */
  readonly temperatures?: readonly number[] | undefined;
}

/** In a list of thresholds, an exit that never fires; its number depends on the rule ({@link RuleDef.never}). */
export const NEVER = "never";
/** A threshold, or the word `never` for an exit that never fires. */
export type Threshold = number | typeof NEVER;

/** How confident a rule is in one exit's logits; the exit fires when `fires(confidence, threshold)`.
 *  Patience has no confidence of its own: it counts agreement (see route). */
export interface RuleDef {
  readonly confidence: (probabilities: Float64Array) => number;
  readonly fires: (confidence: number, threshold: number) => boolean;
  /** Thresholds that make sense, and what the largest can be with this many classes. */
  readonly range: (classes: number) => readonly [number, number];
  /** A threshold at which nothing ever fires (finite, so that it survives JSON). */
  readonly never: number;
  /** The best exit is the one with the largest of this. */
  readonly rank: (confidence: number) => number;
}

/** The two largest; minus infinity where there are no numbers, so that broken logits never look sure. */
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
  "max-softmax": { confidence: maxSoftmax, fires: atLeast, range: () => [0, 1], never: 2, rank: (c) => c },
  entropy: {
    confidence: entropy,
    fires: (c, t) => c <= t,
    range: (classes) => [0, Math.log(classes)],
    never: -1,
    rank: (c) => -c,
  },
  margin: {
    confidence: (p) => {
      const [first, second] = topTwo(p);
      return first - second;
    },
    fires: atLeast,
    range: () => [0, 1],
    never: 2,
    rank: (c) => c,
  },
  patience: {
    confidence: maxSoftmax,
    fires: atLeast,
    range: () => [1, Number.MAX_SAFE_INTEGER],
    never: Number.MAX_SAFE_INTEGER,
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

/** Index of the largest element; the first of equals. */
export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** How many thresholds a policy holds: one per early exit; patience counts over all of them with one. */
export const thresholdCount = (rule: Rule, exits: number): number => (rule === "patience" ? 1 : exits - 1);

/** The policy with one and the same threshold everywhere; not checked, so that it may be one at which nothing fires. */
export const uniformPolicy = (rule: Rule, fallback: Fallback, threshold: number, exits: number): Policy => ({
  rule,
  fallback,
  thresholds: new Array<number>(thresholdCount(rule, exits)).fill(threshold),
});

/** A threshold for people, to 4 digits. */
export const showThreshold = (rule: Rule, threshold: number): string =>
  threshold === RULE_DEFS[rule].never ? NEVER : String(Number(threshold.toPrecision(4)));

/** A policy with one threshold for every early exit, or with the list as given.
 * @param given        numbers in the rule's range, or {@link NEVER}, also as the rule's number for it
 * @param temperatures one per exit, the final one's included; left out: 1
 * @throws DynnError 'policy/value' when a threshold or temperature is out of range or a list has the wrong length */
export function makePolicy(
  rule: Rule,
  given: readonly Threshold[],
  fallback: Fallback,
  model: { readonly exits: number; readonly classes: number },
  temperatures?: readonly number[],
): Policy {
  if (temperatures) checkTemperatures(temperatures, model.exits);
  const wanted = thresholdCount(rule, model.exits);
  const { never, range } = RULE_DEFS[rule];
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
      `threshold ${bad}: rule ${rule} takes ${rule === "patience" ? "a whole number of exits, 1 or more" : `numbers from ${low} to ${Number(high.toFixed(4))}`}. Choose one in that range, write never for an exit that is not to fire, or let dynn choose with --threshold rad:5%.`,
      { rule, thresholds },
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
