/** @file One split of the data as a calibration sees it: pixels, labels, and every exit's logits. */
import type { Dataset } from "../../data/dataset.js";
import { checkFit } from "../../data/fit.js";
import type { Measured } from "../../dynamic/choose/calibrate.js";
import { softmaxRow } from "../../dynamic/route/policy.js";
import { route, rowsOf } from "../../dynamic/route/route.js";
import type { Forward } from "../../dynamic/run/forward.js";
import { exitHistogram } from "../../measures/cost.js";
import { expectedCalibrationError, negativeLogLikelihood } from "../../measures/ece.js";
import { meanInterval } from "../../measures/mean.js";
import type { CalibrationExit, CalibrationOutcome } from "../../schema/calibration-record.js";
import type { Policy } from "../../schema/policy.js";
import { readAll } from "../audit/subject.js";
import { labelsOf, perExit, rateOf, stopsOf } from "../audit/tally.js";
import type { CalibrationOptions } from "./options.js";

export interface Split extends Measured {
  readonly labels: Int32Array;
  readonly pixels: Float32Array;
  readonly forward: Forward;
}

/** Run the whole network on a split.
 * @throws DynnError 'data/shape', 'data/label' */
export async function openSplit(
  data: Dataset,
  forward: Forward,
  phase: string,
  { model, batch, signal, onProgress }: CalibrationOptions,
): Promise<Split> {
  checkFit(model, data);
  const pixels = await readAll(data);
  const logits = await forward.logits(pixels, {
    batch,
    signal,
    onProgress: (done, total) => onProgress?.({ phase, done, total }),
  });
  return { pixels, logits, labels: data.labels.slice(0, data.count), classes: model.classes, forward };
}

/** What each exit is worth by itself on a split, and how far its confidences can be believed.
 * @param temperatures one per exit, where they were fitted */
export function exitsOn(
  { logits, labels, classes }: Split,
  temperatures: readonly number[] | undefined,
): CalibrationExit["test"][] {
  const accuracies = perExit(logits, labels, classes);
  return logits.map((own, k) => ({
    accuracy: accuracies[k] as CalibrationExit["test"]["accuracy"],
    plain: confidenceOf(own, labels, classes, 1),
    ...(temperatures ? { scaled: confidenceOf(own, labels, classes, temperatures[k] as number) } : {}),
  }));
}

function confidenceOf(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  temperature: number,
): CalibrationExit["test"]["plain"] {
  const answers = labelsOf(logits, classes);
  const rows = Array.from(labels, (_, i) => softmaxRow(rowsOf([logits], classes, i)[0] as Float32Array, temperature));
  const right = Array.from(labels, (label, i) => answers[i] === label);
  return {
    nll: negativeLogLikelihood(rows.map((p, i) => p[labels[i] as number] as number)),
    ece: expectedCalibrationError(
      rows.map((p) => Math.max(...p)),
      right,
    ),
  };
}

/** Where a policy leads on a split.
 * @param milliseconds cumulative time per exit, where it was measured */
export function outcomeOn(
  { logits, labels, classes }: Split,
  policy: Policy,
  costFractions: readonly number[],
  milliseconds: readonly number[] | undefined,
): CalibrationOutcome {
  const routed = route(logits, classes, policy);
  const mean = (costs: readonly number[]) =>
    meanInterval(
      routed.map((r) => costs[r.stop] as number),
      [costs[0] as number, costs.at(-1) as number],
    );
  return {
    samples: routed.length,
    accuracy: rateOf(routed.map((r, i) => r.label === labels[i])),
    meanCostFraction: mean(costFractions),
    ...(milliseconds ? { meanMilliseconds: mean(milliseconds) } : {}),
    exitCounts: exitHistogram(stopsOf(routed), costFractions.length),
  };
}
