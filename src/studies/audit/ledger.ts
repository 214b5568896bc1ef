/** @file The account of an attack: its work, the queries up to success, and the distances. */
import type { SampleOutcome } from "../../attacks/attack.js";
import { costShareOf } from "../../dynamic/model/units.js";
import { percentile } from "../../measures/percentile.js";
import { NORMS } from "../../perturb/norms.js";
import type { AttackRecord } from "../../schema/audit-record.js";
import { showBits } from "../../schema/units.js";
import { type Attacked, cleanAnswers } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

type Work = Pick<
  AttackRecord,
  "gradientEvaluations" | "queries" | "queriesMedian" | "queryQuartiles" | "macs" | "macsToSuccess"
>;

/** The work of all samples, and the work up to the first success. */
export function workRecord(outcomes: readonly SampleOutcome[]): Work {
  const total = (of: (spent: SampleOutcome["spent"]) => number) => outcomes.reduce((sum, o) => sum + of(o.spent), 0);
  const queries = outcomes.flatMap((o) => o.spent.queriesToSuccess ?? []);
  const macs = outcomes.flatMap((o) => o.spent.macsToSuccess ?? []);
  return {
    gradientEvaluations: total((s) => s.gradients),
    queries: total((s) => s.queries),
    queriesMedian: queries.length === 0 ? null : percentile(queries, 50),
    queryQuartiles: queries.length === 0 ? null : [percentile(queries, 25), percentile(queries, 75)],
    macs: { forward: total((s) => s.forwardMacs), backward: total((s) => s.backwardMacs) },
    macsToSuccess: macs.length === 0 ? null : percentile(macs, 50),
  };
}

/** Distances of the samples that were right when clean. A failure is infinitely far.
 * @param success one per sample */
export function normRecord(
  { attack, samples, outcomes }: Attacked,
  audited: AuditedModel,
  success: readonly boolean[],
): Pick<AttackRecord, "normMedian" | "normMean"> {
  const { distance } = NORMS[attack.budget.norm];
  const right = cleanAnswers(attack, samples, audited);
  const all = samples.flatMap(({ label, pixels }, i) => {
    if (right[i] !== label) return [];
    return [success[i] ? distance(pixels, outcomes[i].image) : Number.POSITIVE_INFINITY];
  });
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  if (all.length === 0) return { normMedian: null, normMean: null };
  return { normMedian: finite(percentile(all, 50)), normMean: finite(all.reduce((a, b) => a + b, 0) / all.length) };
}

/** One entry per attacked sample.
 * @param success one per sample */
export function sampleRecords(
  { attack, samples, outcomes, routed }: Attacked,
  audited: AuditedModel,
  success: readonly boolean[],
): NonNullable<AttackRecord["perSample"]> {
  const { model } = audited.victim;
  const { distance } = NORMS[attack.budget.norm];
  const labels = cleanAnswers(attack, samples, audited);
  return samples.map(({ id, pixels }, i) => ({
    sample: id,
    label: labels[i],
    success: success[i],
    norm: distance(pixels, outcomes[i].image),
    queries: outcomes[i].spent.queries,
    ...(model.gates.length > 0
      ? { gates: showBits(routed[i].gates ?? []), costFraction: costShareOf(model, routed[i]) }
      : {}),
  }));
}
