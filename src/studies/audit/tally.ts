/** @file Computes fields of the audit record from labels and routed answers. */

import type { SampleOutcome } from "../../attacks/attack.js";
import type { Goal } from "../../attacks/goals/goal.js";
import type { Logits } from "../../core/logits.js";
import { present } from "../../core/present.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { costShareOf, type Path, type Units } from "../../dynamic/model/units.js";
import { argmax, softmaxRow } from "../../dynamic/route/policy.js";
import type { Routed } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { costLevels, exitHistogram, meanCostFraction, openRates } from "../../measures/cost.js";
import { efficacyStep, efficacyTrapezoid } from "../../measures/eec.js";
import { wilson } from "../../measures/wilson.js";
import { ALL_WON, type AttackRecord, NONE_RIGHT, type RoutedRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";

/** The labels of one exit. */
export const labelsOf = (logits: Logits, exit: number): Int32Array =>
  Int32Array.from({ length: logits.count }, (_, i) => argmax(logits.row(exit, i)));

/** Softmax of every exit, [exits][n * classes]. */
export const probabilitiesOf = (logits: Logits): Float32Array[] =>
  logits.exits.map((own, exit) => {
    const probabilities = new Float32Array(own.length);
    for (let i = 0; i < logits.count; i++) probabilities.set(softmaxRow(logits.row(exit, i)), i * logits.classes);
    return probabilities;
  });

export const stopsOf = (routed: readonly Routed[]): Int32Array => Int32Array.from(routed, (r) => r.stop);

/** Accuracy of the final exit. */
export const finalAccuracy = ({ logits, labels }: { readonly logits: Logits; readonly labels: Int32Array }): Rate =>
  present(perExit(logits, labels).at(-1), "the final exit");

/** Accuracy of every exit. */
export const perExit = (logits: Logits, labels: Int32Array): Rate[] =>
  logits.exits.map((_, exit) => accuracy(labels, labelsOf(logits, exit)));

/** The cost of each routed answer, as a share of the full network's. */
export const costSharesOf = (model: Units, routed: readonly Routed[]): number[] =>
  routed.map((path) => costShareOf(model, path));

export function routedRecord(
  routed: readonly Routed[],
  labels: Int32Array,
  model: Pick<DynamicModel, "exits" | "gates">,
): RoutedRecord {
  const shares = costSharesOf(model, routed);
  return {
    accuracy: accuracy(
      labels,
      routed.map((r) => r.label),
    ).value,
    meanCostFraction: meanCostFraction(shares),
    exitCounts: exitHistogram(stopsOf(routed), model.exits.length),
    ...(model.gates.length > 0 ? { paths: pathsRecord(routed, levelsOf(model, shares)) } : {}),
  };
}

/** Which path a sample took. */
export const pathKey = ({ stop, gates = [] }: Path): string => [stop, ...gates].join();

/** How often each gate was open, and how many samples had each cost. */
const pathsRecord = (
  routed: readonly Routed[],
  { counts, costs }: ReturnType<typeof costLevels>,
): NonNullable<RoutedRecord["paths"]> => ({
  openRates: openRates(routed.map(({ gates = [] }) => gates)),
  distinct: new Set(routed.map(pathKey)).size,
  costs: costs.map((costFraction, k) => ({ costFraction, samples: counts[k] })),
});

const levelsOf = (model: Pick<DynamicModel, "exits">, shares: readonly number[]): ReturnType<typeof costLevels> =>
  costLevels(
    shares,
    model.exits.map((e) => e.costFraction),
  );

/** Both areas under the EEC curve of routed answers. */
export function efficacies(
  model: Pick<DynamicModel, "exits" | "gates">,
  routed: readonly Routed[],
): { readonly efficacy: number; readonly efficacyStep: number } {
  const { counts, costs } = levelsOf(model, costSharesOf(model, routed));
  return { efficacy: efficacyTrapezoid(counts, costs), efficacyStep: efficacyStep(counts, costs) };
}

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
