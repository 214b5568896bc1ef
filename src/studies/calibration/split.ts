/** @file What a calibration reports on one split of the data. */

import { softmaxRow } from "../../dynamic/route/policy.js";
import { route } from "../../dynamic/route/route.js";
import { exitHistogram } from "../../measures/cost.js";
import { expectedCalibrationError, negativeLogLikelihood } from "../../measures/ece.js";
import { meanInterval } from "../../measures/mean.js";
import type { CalibrationExit, CalibrationOutcome } from "../../schema/calibration-record.js";
import type { Policy } from "../../schema/policy.js";
import { labelsOf, perExit, rateOf, stopsOf } from "../audit/tally.js";
import type { Answered } from "../tasks/in-process.js";

/** The answers of every exit for the records of a split. */
export type Split = Answered;

/** Accuracy of each exit alone on a split, and how well its confidences match its accuracy.
 * @param temperatures one per exit. Undefined when they were not fitted */
export function exitsOn(split: Split, temperatures: readonly number[] | undefined): CalibrationExit["test"][] {
  return perExit(split.logits, split.labels).map((accuracy, exit) => ({
    accuracy,
    plain: confidenceOf(split, exit, 1),
    ...(temperatures ? { scaled: confidenceOf(split, exit, temperatures[exit]) } : {}),
  }));
}

function confidenceOf({ logits, labels }: Split, exit: number, temperature: number): CalibrationExit["test"]["plain"] {
  const answers = labelsOf(logits, exit);
  const rows = Array.from(labels, (_, i) => softmaxRow(logits.row(exit, i), temperature));
  const right = Array.from(labels, (label, i) => answers[i] === label);
  return {
    nll: negativeLogLikelihood(rows.map((p, i) => p[labels[i]])),
    ece: expectedCalibrationError(
      rows.map((p) => Math.max(...p)),
      right,
    ),
  };
}

/** Accuracy and cost of a policy on a split.
 * @param milliseconds cumulative time per exit. Undefined when it was not measured */
export function outcomeOn(
  { logits, labels }: Split,
  policy: Policy,
  costFractions: readonly number[],
  milliseconds: readonly number[] | undefined,
): CalibrationOutcome {
  const routed = route(logits, policy);
  const mean = (costs: readonly number[]) =>
    meanInterval(
      routed.map((r) => costs[r.stop]),
      [costs[0], costs.at(-1) as number],
    );
  return {
    samples: routed.length,
    accuracy: rateOf(routed.map((r, i) => r.label === labels[i])),
    meanCostFraction: mean(costFractions),
    ...(milliseconds ? { meanMilliseconds: mean(milliseconds) } : {}),
    exitCounts: exitHistogram(stopsOf(routed), costFractions.length),
  };
}
