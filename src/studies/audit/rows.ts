/** @file Results per sample and attack, as rows for data frames. */
import { softmaxRow } from "../../dynamic/route/policy.js";
import { norms } from "../../measures/norms.js";
import { type Attacked, cleanAnswers } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

/** One sample under one attack. */
export interface SampleRow {
  readonly attack: string;
  /** Record number in the data set. */
  readonly sample: number;
  /** True class. */
  readonly label: number;
  /** Label of the judged answer when clean. */
  readonly cleanLabel: number;
  /** Exit where the attacked image stops. */
  readonly exit: number;
  /** Label of the routed answer for the attacked image. */
  readonly answer: number;
  /** Largest softmax probability of the answering exit. */
  readonly confidence: number;
  readonly eligible: boolean;
  readonly success: boolean;
  /** Distances from the clean image, in pixel units. */
  readonly linf: number;
  readonly l2: number;
  /** Images that the network evaluated for this sample. */
  readonly queries: number;
  readonly gradients: number;
  readonly forwardMacs: number;
  readonly backwardMacs: number;
  /** The sample's share of the attack's wall time, by MACs. Samples run in batches, so no clock
   * sees one alone. */
  readonly ms: number;
}

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
