/** @file Results per sample and attack, as rows for data frames. */
import { softmaxRow } from "../../dynamic/route/policy.js";
import { norms } from "../../measures/norms.js";
import type { SampleRow } from "../../schema/sample-row.js";
import { type Attacked, cleanAnswers } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

/** One row per sample of an attack.
 * @param success one per sample */
export function rowsOf(attacked: Attacked, audited: AuditedModel, success: readonly boolean[]): SampleRow[] {
  const { attack, samples, outcomes, logits, routed, seconds } = attacked;
  const labels = cleanAnswers(attack, samples, audited);
  const work = outcomes.map(({ spent }) => spent.forwardMacs + spent.backwardMacs);
  const total = work.reduce((sum, macs) => sum + macs, 0);
  return samples.map(({ id, label, pixels }, i) => {
    const { stop, answer, label: said } = routed[i];
    const { queries, gradients, forwardMacs, backwardMacs } = outcomes[i].spent;
    const { l2, linf } = norms(pixels, outcomes[i].image);
    return {
      ...{ attack: attack.name, sample: id, label, cleanLabel: labels[i], exit: stop, answer: said },
      confidence: Math.max(...softmaxRow(logits.row(answer, i))),
      ...{ eligible: outcomes[i].eligible, success: success[i], linf, l2 },
      ...{ queries, gradients, forwardMacs, backwardMacs },
      ms: total === 0 ? 0 : (1000 * seconds * work[i]) / total,
    };
  });
}
