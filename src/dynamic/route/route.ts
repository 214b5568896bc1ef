/** @file Routing: from the logits of every exit to the routed answer. Routing is a pure function.
 *  Code that skips work must give the same answers. */

import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import type { Logits } from "../../core/logits.js";
import { counted } from "../../core/units.js";
import { forcedBit, gateThresholds, type Policy } from "../../schema/policy.js";
import type { GateBit, Path } from "../model/units.js";
import { argmax, checkCounts, RULE_DEFS, softmaxRow } from "./policy.js";

/** The result of the deployed network for one sample: an answer, and the path to it. `costOf` gives
 * the cost of the path. */
export interface Routed extends Path {
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

/** A routed answer with the bits of the gates before the exit taken. Unchanged without gates.
 * @param bits one per gate, those behind the exit taken too
 * @param exits the first exit behind each gate */
export function withBits<P extends Path>(routed: P, bits: readonly GateBit[], exits: readonly number[]): P {
  if (exits.length === 0) return routed;
  return { ...routed, gates: exits.map((exit, k) => (exit <= routed.stop ? bits[k] : undefined)) };
}

/** The bits that are known before any score: those of forced gates.
 * @param thresholds one per gate */
export const forcedBits = (thresholds: readonly number[]): GateBit[] =>
  thresholds.map((threshold) => (forcedBit(threshold) === undefined ? undefined : bitOf(0, threshold)));

/** The bit of a gate: open where the score reaches the threshold. Both are float32. NaN is
 * closed. */
export const bitOf = (score: number, threshold: number): 0 | 1 => (score >= Math.fround(threshold) ? 1 : 0);

/** Route a batch.
 * @returns one answer per image, in order
 * @throws DynnError 'policy/value' when the number of thresholds or temperatures is wrong, or when
 *  one is NaN, or when a temperature cannot be a divisor
 * @throws DynnError 'policy/value' when the logits were computed under other thresholds of gates
 * @example for (const { stop, label } of route(logits, policy)) console.log(stop, label); */
export function route(logits: Logits, policy: Policy): Routed[] {
  checkGiven("route", { logits, policy });
  const { count, exits, gates } = logits;
  checkCounts(policy, exits.length, `logits of ${counted(exits.length, "exit")}`);
  checkComputed(logits, policy);
  const behind = gates.map(({ exit }) => exit);
  return Array.from({ length: count }, (_, i) => {
    const routed = routeOne(logits.rows(i), policy, exits.length) as Routed;
    return withBits(routed, bitsOf(logits, i), behind);
  });
}

/** One bit per gate for image `i`. */
export const bitsOf = ({ gates }: Pick<Logits, "gates">, i: number): GateBit[] =>
  gates.map(({ scores, threshold }) => bitOf(scores[i], threshold));

/** @throws DynnError 'policy/value' */
function checkComputed({ gates }: Logits, policy: Policy): void {
  const [got, wanted] = [gates.map(({ threshold }) => threshold), gateThresholds(policy, gates.length)];
  if (got.length === wanted.length && got.every((threshold, k) => threshold === wanted[k])) return;
  throw new DynnError(
    "policy/value",
    `thresholds of gates: the logits were computed under ${got.join(", ") || "none"}, and the policy has ${wanted.join(", ") || "none"}. Run the model that underPolicy returns for this policy.`,
    { got, expected: wanted },
  );
}
