/** @file Routing: from the logits of every exit to the routed answer. Routing is a pure function.
 *  Code that skips work must give the same answers. */

import type { Logits } from "../../core/logits.js";
import type { Policy } from "../../schema/policy.js";
import { argmax, RULE_DEFS, softmaxRow } from "./policy.js";

/** The result of the deployed network for one sample. */
export interface Routed {
  /** Exit where the work stops. */
  readonly stop: number;
  /** Exit whose label is the answer. It can differ from `stop` only under the fallback
   * most-confident. */
  readonly answer: number;
  /** The answered class. */
  readonly label: number;
  /** The rule's confidence at the answering exit. */
  readonly confidence: number;
}

/** The facts about one exit's logits that a policy needs. */
export interface Reading {
  /** The class with the largest logit. */
  readonly label: number;
  /** The confidence that the policy's rule computes. */
  readonly confidence: number;
}

/** Read one exit's row of logits. */
export const readingOf = (row: Float32Array, { rule, temperatures }: Reader, exit: number): Reading => ({
  label: argmax(row),
  confidence: RULE_DEFS[rule].confidence(softmaxRow(row, temperatures?.[exit])),
});

/** The part of a policy that readings depend on. */
export type Reader = Pick<Policy, "rule" | "temperatures">;

/** Route one sample.
 * @param logits one row per exit, in order. A prefix of the exits is enough when one of them fires
 * @param exits number of exits of the model
 * @returns undefined when no given exit fires and later exits are missing */
export const routeOne = (logits: readonly Float32Array[], policy: Policy, exits: number): Routed | undefined =>
  routeReadings(
    logits.map((row, exit) => readingOf(row, policy, exit)),
    policy,
    exits,
  );

/** {@link routeOne} from the reading of each exit, for callers that try many policies on the same
 * logits. */
export function routeReadings(readings: readonly Reading[], policy: Policy, exits: number): Routed | undefined {
  let run = 0;
  for (const [exit, reading] of readings.entries()) {
    run = reading.label === readings[exit - 1]?.label ? run + 1 : 1;
    if (exit < exits - 1 && fires(policy, exit, reading.confidence, run))
      return { stop: exit, answer: exit, ...reading };
  }
  return readings.length === exits ? fallBack(readings, policy) : undefined;
}

/** Whether an early exit fires. `run` is the number of exits in a row, with this exit, that gave
 * the same label. */
const fires = (policy: Policy, exit: number, confidence: number, run: number): boolean =>
  policy.rule === "patience"
    ? run >= policy.thresholds[0]
    : RULE_DEFS[policy.rule].fires(confidence, policy.thresholds[exit]);

function fallBack(readings: readonly Reading[], { rule, fallback }: Policy): Routed {
  const stop = readings.length - 1;
  const answer = fallback === "final" ? stop : argmax(readings.map((r) => RULE_DEFS[rule].rank(r.confidence)));
  return { stop, answer, ...readings[answer] };
}

/** Route a batch.
 * @returns one answer per image, in order
 * @example for (const { stop, label } of route(logits, policy)) console.log(stop, label); */
export const route = (logits: Logits, policy: Policy): Routed[] =>
  Array.from({ length: logits.count }, (_, i) => routeOne(logits.rows(i), policy, logits.exits.length) as Routed);
