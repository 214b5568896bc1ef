/** @file The record of what gates did on the clean images. */
import type { Logits } from "../../core/logits.js";
import { meanCostFraction, openRates } from "../../measures/cost.js";
import { costRelation, costsByAnswer, crossEntropyOf, quarters, trueMargin } from "../../measures/difficulty.js";
import { dynamicShare, executedBlocks, gatesByClass, pathEntropy } from "../../measures/gates.js";
import type { DifficultyRecord, SkippingRecord } from "../../schema/skipping.js";
import type { InProcess } from "../tasks/in-process.js";
import type { AuditedModel } from "./audited-model.js";
import type { AuditPlan } from "./plan.js";
import { costSharesOf, finalAccuracy, pathKey } from "./tally.js";

/** A network whose answers say how difficult a sample is. */
export interface Reference {
  readonly name: string;
  readonly logits: Logits;
}

/** What records call the network with all gates open. */
export const ALL_OPEN = "all gates open";

/** The networks that say how difficult samples are.
 * @param baseline the name of the static network */
export const referencesOf = (
  { allOpen, baseline: key }: Pick<AuditPlan, "allOpen" | "baseline">,
  baseline: string | undefined,
  run: InProcess,
): Reference[] => [
  ...(allOpen ? [{ name: ALL_OPEN, logits: run.measured(allOpen).logits }] : []),
  ...(key && baseline !== undefined ? [{ name: baseline, logits: run.measured(key).logits }] : []),
];

/** The record of the gates. Empty for a network without gates, and without samples.
 * @param references networks whose final exits say how difficult a sample is */
export function skippingRecord(
  { victim: { model }, labels, routed }: Pick<AuditedModel, "victim" | "labels" | "routed">,
  references: readonly Reference[],
): { readonly skipping?: SkippingRecord } {
  if (model.gates.length === 0 || routed.length === 0) return {};
  const paths = routed.map(({ gates = [] }) => gates);
  const costs = costSharesOf(model, routed);
  const right = routed.map(({ label }, i) => label === labels[i]);
  const costOfClass = (label: number) => meanCostFraction(costs.filter((_, i) => labels[i] === label));
  const skipping = {
    executed: executedBlocks(paths, model.gates.length),
    byClass: gatesByClass(paths, labels).map((one) => ({ ...one, meanCostFraction: costOfClass(one.label) })),
    pathEntropy: pathEntropy(routed.map(pathKey)),
    dynamicShare: dynamicShare(openRates(paths)),
    difficulty: references.map((reference) => difficultyRecord(reference, { costs, labels, right })),
    answers: costsByAnswer(costs, right),
  };
  return { skipping };
}

interface Costs {
  readonly costs: readonly number[];
  readonly labels: Int32Array;
  readonly right: readonly boolean[];
}

function difficultyRecord({ name, logits }: Reference, { costs, labels, right }: Costs): DifficultyRecord {
  const final = logits.exits.length - 1;
  const of = (measure: (row: Float32Array, label: number) => number): number[] =>
    Array.from(labels, (label, i) => measure(logits.row(final, i), label));
  const margins = of((row, label) => -trueMargin(row, label));
  return {
    reference: name,
    accuracy: finalAccuracy({ logits, labels }),
    margin: costRelation(costs, margins),
    crossEntropy: costRelation(costs, of(crossEntropyOf)),
    quarters: quarters(costs, margins, right),
  };
}
