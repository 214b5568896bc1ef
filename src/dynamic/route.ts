/** @file Routing: from every exit's logits to the routed answer. A pure function; whatever skips work must agree with it. */
import { argmax, type Policy, RULE_DEFS, softmaxRow } from "./policy.js";

/** What the deployed network returns for one sample. */
export interface Routed {
  /** Exit where the work stops. */
  readonly stop: number;
  /** Exit whose label is the answer; differs from `stop` only under the fallback most-confident. */
  readonly answer: number;
  readonly label: number;
  /** The rule's confidence at the answering exit. */
  readonly confidence: number;
}

/** Route one sample.
 * @param logits one row per exit, in order; a prefix of the exits is enough as long as one of them fires
 * @param exits  how many exits the model has
 * @returns      undefined when no given exit fires and later ones are missing */
export function routeOne(logits: readonly Float32Array[], policy: Policy, exits: number): Routed | undefined {
  const confidences: number[] = [];
  let run = 0;
  let last = -1;
  for (const [exit, row] of logits.entries()) {
    const label = argmax(row);
    run = label === last ? run + 1 : 1;
    last = label;
    const confidence = confidenceOf(row, policy);
    confidences.push(confidence);
    if (exit < exits - 1 && fires(policy, exit, confidence, run)) return { stop: exit, answer: exit, label, confidence };
  }
  return logits.length === exits ? fallBack(logits, confidences, policy) : undefined;
}

/** Confidence of one row under the policy's rule. */
export const confidenceOf = (row: Float32Array, policy: Policy): number => RULE_DEFS[policy.rule].confidence(softmaxRow(row));

/** Whether an early exit fires; `run` is how many exits in a row, this one included, gave the same label. */
export const fires = (policy: Policy, exit: number, confidence: number, run: number): boolean =>
  policy.rule === "patience" ? run >= (policy.thresholds[0] as number) : RULE_DEFS[policy.rule].fires(confidence, policy.thresholds[exit] as number);

function fallBack(logits: readonly Float32Array[], confidences: readonly number[], policy: Policy): Routed {
  const stop = logits.length - 1;
  const answer = policy.fallback === "final" ? stop : argmax(confidences.map(RULE_DEFS[policy.rule].rank));
  return { stop, answer, label: argmax(logits[answer] as Float32Array), confidence: confidences[answer] as number };
}

/** Route a batch.
 * @param logits one array [n * classes] per exit */
export const route = (logits: readonly Float32Array[], classes: number, policy: Policy): Routed[] => {
  const n = (logits[0]?.length ?? 0) / classes;
  return Array.from({ length: n }, (_, i) => routeOne(rowsOf(logits, classes, i), policy, logits.length) as Routed);
};

/** Row i of every exit. */
export const rowsOf = (logits: readonly Float32Array[], classes: number, i: number): Float32Array[] => logits.map((l) => l.subarray(i * classes, (i + 1) * classes));
