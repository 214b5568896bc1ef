/** @file The exit rules, and policies with checked thresholds. */
import { DynnError } from "../../core/errors.js";
import {
  ALWAYS_CLOSED,
  ALWAYS_OPEN,
  type Fallback,
  gateThresholds,
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

/** Sums of float64 numbers exceed their bound by less than this: the entropy of equal shares,
 * say. */
const ROUNDING = 1e-9;

/** The confidences that a rule can give, with room for rounding. Patience gives those of
 * max-softmax.
 * @returns the least and the largest */
export const confidenceRange = (rule: Rule, classes: number): readonly [number, number] =>
  rule === "entropy" ? [-ROUNDING, Math.log(classes) + ROUNDING] : [-ROUNDING, 1 + ROUNDING];

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

/** The parts of a policy. */
export interface PolicyOptions {
  /** The rule. Default: max-softmax. */
  readonly rule?: Rule | undefined;
  /** One threshold for every early exit, or a list with one per early exit: numbers in the rule's
   * range, or {@link NEVER}, or the rule's own number for never. */
  readonly thresholds: Threshold | readonly Threshold[];
  /** The exit that answers when no early exit fires. Default: final. */
  readonly fallback?: Fallback | undefined;
  /** One per exit, with the final exit. Default: 1. */
  readonly temperatures?: readonly number[] | undefined;
}

/** Makes a policy that fits a model.
 * @param model a model, or its number of exits and of classes
 * @throws DynnError 'policy/value' when a threshold or temperature is out of range or a list has
 *  the wrong length
 * @example const policy = makePolicy(model, { rule: "max-softmax", thresholds: 0.8 }); */
export function makePolicy(
  model: { readonly exits: number | readonly unknown[]; readonly classes: number },
  { rule = "max-softmax", thresholds: wanting, fallback = "final", temperatures }: PolicyOptions,
): Policy {
  const exits = typeof model.exits === "number" ? model.exits : model.exits.length;
  const given = Array.isArray(wanting) ? (wanting as readonly Threshold[]) : [wanting as Threshold];
  if (temperatures) checkTemperatures(temperatures, exits);
  const wanted = thresholdCount(rule, exits);
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
  checkThresholds(rule, thresholds, model.classes);
  const [first] = thresholds;
  return {
    rule,
    fallback,
    thresholds:
      thresholds.length === wanted || first === undefined ? thresholds : new Array<number>(wanted).fill(first),
    ...(temperatures ? { temperatures } : {}),
  };
}

interface Network {
  readonly exits: number;
  readonly classes: number;
  /** Number of gates. The default is none. */
  readonly gates?: number;
}

/** Check a policy that somebody else made: the number of its thresholds and temperatures, and their
 * ranges.
 * @param where what to call the network in messages
 * @throws DynnError 'policy/value' */
export function checkPolicy(policy: Policy, { exits, classes, gates = 0 }: Network, where: string): void {
  checkCounts(policy, exits, where);
  checkGateThresholds(gateThresholds(policy, gates), gates, where);
  checkThresholds(policy.rule, policy.thresholds, classes);
}

/** Check that a policy has a number for each exit that needs one. A threshold out of range routes
 * as it says.
 * @throws DynnError 'policy/value' */
export function checkCounts({ rule, thresholds, temperatures }: Policy, exits: number, where: string): void {
  const wanted = thresholdCount(rule, exits);
  const fits = thresholds.length === wanted;
  if (!fits || thresholds.some(Number.isNaN))
    throw new DynnError(
      "policy/value",
      `thresholds: got ${fits ? thresholds.join() : thresholds.length}, expected ${wanted} for ${where}. Make the policy with makePolicy.`,
      { thresholds, expected: wanted },
    );
  if (temperatures) checkTemperatures(temperatures, exits);
}

/** Check that a list has one threshold for each gate.
 * @throws DynnError 'policy/value' */
export function checkGateThresholds(thresholds: readonly number[], gates: number, where: string): void {
  const wrong = thresholds.find((t) => !Number.isFinite(t));
  if (thresholds.length === gates && wrong === undefined) return;
  const got = wrong ?? thresholds.length;
  throw new DynnError(
    "policy/value",
    `thresholds of gates: got ${got}, expected ${gates} for ${where}, one number per gate. ${ALWAYS_OPEN} keeps a gate open, and ${ALWAYS_CLOSED} keeps it closed.`,
    { thresholds, expected: gates },
  );
}

/** @throws DynnError 'policy/value' */
function checkThresholds(rule: Rule, thresholds: readonly number[], classes: number): void {
  const [low, high] = RULE_DEFS[rule].range(classes);
  const fits = (t: number) => t >= low && t <= high && (rule !== "patience" || Number.isInteger(t));
  const bad = thresholds.find((t) => t !== NEVER_FIRES[rule] && !fits(t));
  if (bad !== undefined)
    throw new DynnError(
      "policy/value",
      `threshold ${bad}: rule ${rule} takes ${rule === "patience" ? "a whole number of exits, 1 or more" : `numbers from ${low} to ${Number(high.toFixed(4))}`}. Choose one in that range, write never for an exit that must not fire, or let dynn choose.`,
      { rule, thresholds, options: ["threshold"] },
    );
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
