/** @file Computes fields of the audit record from labels and routed answers. */

import type { SampleOutcome } from "../../attacks/attack.js";
import type { Goal } from "../../attacks/goals/goal.js";
import type { Logits } from "../../core/logits.js";
import { present } from "../../core/present.js";
import { argmax } from "../../dynamic/route/policy.js";
import type { Routed } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { exitHistogram, meanCostFraction } from "../../measures/cost.js";
import { wilson } from "../../measures/wilson.js";
import { ALL_WON, type AttackRecord, NONE_RIGHT, type RoutedRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";

/** The labels of one exit. */
export const labelsOf = (logits: Logits, exit: number): Int32Array =>
  Int32Array.from({ length: logits.count }, (_, i) => argmax(logits.row(exit, i)));

export const stopsOf = (routed: readonly Routed[]): Int32Array => Int32Array.from(routed, (r) => r.stop);

/** Accuracy of the final exit. */
export const finalAccuracy = ({ logits, labels }: { readonly logits: Logits; readonly labels: Int32Array }): Rate =>
  present(perExit(logits, labels).at(-1), "the final exit");

/** Accuracy of every exit. */
export const perExit = (logits: Logits, labels: Int32Array): Rate[] =>
  logits.exits.map((_, exit) => accuracy(labels, labelsOf(logits, exit)));

export const routedRecord = (
  routed: readonly Routed[],
  labels: Int32Array,
  costFractions: readonly number[],
): RoutedRecord => ({
  accuracy: accuracy(
    labels,
    routed.map((r) => r.label),
  ).value,
  meanCostFraction: meanCostFraction(stopsOf(routed), costFractions),
  exitCounts: exitHistogram(stopsOf(routed), costFractions.length),
});

/** The share of set flags among the samples that count. */
export function rateOf(flags: readonly boolean[], counted: readonly boolean[] = flags.map(() => true)): Rate {
  const chosen = flags.filter((_, i) => counted[i]);
  return wilson(chosen.filter(Boolean).length, chosen.length);
}

/** Why there was nothing to attack, if so.
 * @param clean the answers on the clean images */
export function nothingToAttack(
  { answer }: Goal,
  outcomes: readonly Pick<SampleOutcome, "eligible">[],
  { routed, logits }: { readonly routed: readonly Routed[]; readonly logits: Logits },
  labels: Int32Array,
): AttackRecord["nothingToAttack"] {
  if (outcomes.some(({ eligible }) => eligible)) return undefined;
  const cleanLabel = (i: number) => (answer === "routed" ? routed[i]?.label : argmax(logits.row(answer, i)));
  return outcomes.some((_, i) => cleanLabel(i) === labels[i]) ? ALL_WON : NONE_RIGHT;
}
