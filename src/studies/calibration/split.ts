/** @file What a calibration reports on one split of the data. */

import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Path } from "../../dynamic/model/units.js";
import { softmaxRow } from "../../dynamic/route/policy.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import { unitShares } from "../../dynamic/run/gated-runs.js";
import { exitHistogram, openRates } from "../../measures/cost.js";
import { expectedCalibrationError, negativeLogLikelihood } from "../../measures/ece.js";
import { type Interval, meanInterval } from "../../measures/mean.js";
import type { CalibrationExit, CalibrationOutcome } from "../../schema/calibration-record.js";
import type { Estimated } from "../../schema/numbers.js";
import type { Policy } from "../../schema/policy.js";
import { labelsOf, perExit, rateOf, stopsOf } from "../audit/tally.js";
import { lostAccuracy } from "../lost.js";
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
 * @param milliseconds time of each unit. Undefined when it was not measured */
export function outcomeOn(
  { logits, labels }: Split,
  policy: Policy,
  model: Pick<DynamicModel, "exits" | "gates">,
  milliseconds: UnitCosts | undefined,
): CalibrationOutcome {
  const routed = route(logits, policy);
  return {
    samples: routed.length,
    accuracy: rateOf(routed.map((r, i) => r.label === labels[i])),
    meanCostFraction: meanCost(model, routed, unitShares(model)),
    ...(milliseconds ? { meanMilliseconds: meanCost(model, routed, milliseconds) } : {}),
    exitCounts: exitHistogram(stopsOf(routed), model.exits.length),
    ...(model.gates.length > 0 ? { openRates: openRates(routed.map(({ gates = [] }) => gates)) } : {}),
  };
}

/** The accuracy that a policy loses to the final exit of `whole`, on the same records. */
export function lostOn(whole: Split, routedOn: Split, policy: Policy): Estimated {
  const final = labelsOf(whole.logits, whole.logits.exits.length - 1);
  const routed = route(routedOn.logits, policy).map(({ label }) => label);
  return lostAccuracy(whole.labels, final, routed);
}

/** Mean cost of routed answers, with its interval. It lies between the cheapest path and the full
 * network. */
export function meanCost(
  { gates }: Pick<DynamicModel, "gates">,
  routed: readonly Routed[],
  { costs, gateCosts = [] }: UnitCosts,
): Interval {
  const saved = ({ stop, gates: bits = [] }: Path) =>
    gates.reduce((sum, { exit }, k) => sum + (exit <= stop && bits[k] !== 1 ? (gateCosts[k] ?? 0) : 0), 0);
  const least = costs[0] - saved({ stop: 0, gates: gates.map(() => 0) });
  return meanInterval(
    routed.map((path) => costs[path.stop] - saved(path)),
    [Math.max(0, least), costs.at(-1) as number],
  );
}
