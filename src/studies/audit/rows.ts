/** @file Results per sample and attack, as rows for data frames. */
import { costShareOf, type Path, type Units } from "../../dynamic/model/units.js";
import { softmaxRow } from "../../dynamic/route/policy.js";
import { norms } from "../../measures/norms.js";
import type { GatedSampleRow, SampleRow } from "../../schema/sample-row.js";
import { showBits } from "../../schema/units.js";
import { type Attacked, cleanAnswers } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

/** One row per sample of an attack. Rows of a network with gates are {@link GatedSampleRow}s.
 * @param success one per sample */
export function rowsOf(
  attacked: Attacked,
  audited: AuditedModel,
  success: readonly boolean[],
  seed: number,
): SampleRow[] {
  const { attack, samples, outcomes, logits, routed, seconds } = attacked;
  const labels = cleanAnswers(attack, samples, audited);
  const { model } = audited.victim;
  const work = outcomes.map(({ spent }) => spent.forwardMacs + spent.backwardMacs);
  const total = work.reduce((sum, macs) => sum + macs, 0);
  return samples.map(({ id, label, pixels }, i) => {
    const { stop, answer, label: said } = routed[i];
    const { queries, gradients, forwardMacs, backwardMacs } = outcomes[i].spent;
    const { l2, linf } = norms(pixels, outcomes[i].image);
    return {
      ...{ attack: attack.name, seed, sample: id, label, cleanLabel: labels[i], exit: stop, answer: said },
      confidence: Math.max(...softmaxRow(logits.row(answer, i))),
      ...{ eligible: outcomes[i].eligible, success: success[i], linf, l2 },
      ...{ queries, gradients, forwardMacs, backwardMacs },
      ms: total === 0 ? 0 : (1000 * seconds * work[i]) / total,
      ...(model.gates.length > 0 ? gatesOf(model, audited.routed[i], routed[i]) : {}),
    };
  });
}

/** The paths of a sample before and after the attack. */
const gatesOf = (
  model: Units,
  clean: Path,
  attacked: Path,
): Pick<GatedSampleRow, "cleanGates" | "cleanCostFraction" | "gates" | "costFraction"> => ({
  ...{ cleanGates: showBits(clean.gates ?? []), cleanCostFraction: costShareOf(model, clean) },
  ...{ gates: showBits(attacked.gates ?? []), costFraction: costShareOf(model, attacked) },
});
