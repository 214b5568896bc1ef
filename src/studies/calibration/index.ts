/** @file The calibration fits temperatures and thresholds on the validation records, and reports
 *  them on the test records. It makes every number of the record. The caller keeps the two splits
 *  apart. The choice of the policy never uses a test record. */

import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { notesOf } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import {
  type Calibration,
  type CalibrationRequest,
  calibrate,
  fitTemperature,
  type OperatingPoint,
  outcomesAt,
} from "../../dynamic/choose/calibrate.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import { wilson } from "../../measures/wilson.js";
import type { BatchChoice } from "../../runtime/batch.js";
import {
  CALIBRATION_SCHEMA_VERSION,
  type CalibrationPoint,
  calibrationRecordSchema,
} from "../../schema/calibration-record.js";
import type { Rate } from "../../schema/numbers.js";
import { readingOf } from "../../schema/reading.js";
import { steadinessOf } from "../../schema/steadiness.js";
import { perExit } from "../audit/tally.js";
import { attackRoom, batchOf, type OpenBatch } from "../batch.js";
import { chanceWarnings } from "../chance.js";
import { withCheckedModel } from "../checked-model.js";
import type { CalibrationOptions, CalibrationResult } from "./options.js";
import { exitsOn, openSplit, outcomeOn, type Split } from "./split.js";
import { boundWorstCase, type WorstCaseRecord } from "./worst-case.js";

export type { CalibrationOptions, CalibrationResult, WorstCaseOptions } from "./options.js";

/** Choose a policy for a model.
 * @returns the policy, and the record that says what it is worth (docs/calibration.md)
 * @throws DynnError 'policy/validation' when no thresholds reach the target, or the model has a
 * single exit; 'policy/value'; when model and
 *         data do not fit together; the signal's reason when aborted */
export async function calibrateModel(request: OpenBatch<CalibrationOptions>): Promise<CalibrationResult> {
  const started = request.now();
  const memory = memoryFor(request);
  const given = { ...request, batch: memory.batch };
  checkExits(given);
  const [validation, test] = [fitData(given.model, given.validation), fitData(given.model, given.test)];
  return calibrateFitted(await withCheckedModel({ ...given, validation, test }, test), memory, started);
}

/** @throws DynnError 'memory/batch' */
function memoryFor({ worstCase, validation, test, ...runs }: OpenBatch<CalibrationOptions>): BatchChoice {
  // The clean images, and those of an attack with copies while it is judged.
  const attacked = worstCase === undefined ? 0 : 4 * worstCase.samples;
  return batchOf({ ...runs, gradients: worstCase !== undefined, images: validation.count + test.count + attacked });
}

/** The calibration on data in the model's numbering. */
async function calibrateFitted(
  options: CalibrationOptions,
  memory: BatchChoice,
  started: number,
): Promise<CalibrationResult> {
  const forward = await Forward.compile(options.model, options.backend);
  try {
    const validation = await openSplit(options.validation, forward, "validation images", options);
    const test = await openSplit(options.test, forward, "test images", options);
    const { milliseconds, roundSpread } = timesOf(await options.measureExits?.());
    const request = requestOf(options, validation, milliseconds);
    const room = attackRoom(memory, options.model);
    const { calibration, worstCase } = await choose(request, { validation, test }, { ...options, room });
    const { policy } = calibration;
    const costFractions = options.model.exits.map((e) => e.costFraction);
    const record = calibrationRecordSchema.parse({
      ...header(options, request),
      memory,
      warnings: chanceWarnings(options.model, options.test, finalAccuracy(test)),
      steadiness: steadinessOf(roundSpread),
      policy,
      exits: exitRecords(options, request, { validation, test }, milliseconds),
      validation: outcomeOn(validation, policy, costFractions, milliseconds),
      test: outcomeOn(test, policy, costFractions, milliseconds),
      curves: {
        uniform: pointsOf(calibration.uniform, request, validation, test),
        perExit: pointsOf(calibration.perExit, request, validation, test),
      },
      worstCase,
      seconds: (options.now() - started) / 1000,
    });
    return { policy, record };
  } finally {
    await forward.release();
  }
}

/** Times of exits, with the spread of the rounds if it was measured. */
function timesOf(measured: readonly number[] | TimedExits | undefined): Partial<TimedExits> {
  if (measured === undefined) return {};
  return "milliseconds" in measured ? measured : { milliseconds: measured };
}

const finalAccuracy = ({ logits, labels }: Split): Rate => present(perExit(logits, labels).at(-1), "the final exit");

/** @throws DynnError 'policy/validation' */
function checkExits({ model, target, measureExits }: CalibrationOptions): void {
  if (model.exits.length === 1)
    throw new DynnError(
      "policy/validation",
      `${model.name}: the model has a single exit, so there is no threshold to choose. Give it early exits with \`dynn convert\`.`,
      { model: model.name },
    );
  if (target.kind === "latency" && measureExits === undefined)
    throw new DynnError(
      "policy/validation",
      `${model.name}: a target latency needs the time of every exit. Give measureExits.`,
      { target },
    );
}

function requestOf(
  { model, rule, fallback, target, thresholds, temperature }: CalibrationOptions,
  split: Split,
  milliseconds: readonly number[] | undefined,
): CalibrationRequest {
  const temperatures = temperature ? model.exits.map((_, exit) => fitTemperature(split, exit)) : undefined;
  const counted = model.exits.map((e) => e.costFraction);
  return {
    rule,
    fallback,
    temperatures,
    target,
    thresholds,
    costs: target.kind === "latency" ? (milliseconds ?? []) : counted,
  };
}

interface Splits {
  readonly validation: Split;
  readonly test: Split;
}

async function choose(
  request: CalibrationRequest,
  splits: Splits,
  options: Parameters<typeof boundWorstCase>[3],
): Promise<{ readonly calibration: Calibration; readonly worstCase: WorstCaseRecord | undefined }> {
  if (options.worstCase) return boundWorstCase(request, splits, options.worstCase, options);
  return { calibration: calibrate(splits.validation, request), worstCase: undefined };
}

const header = (options: CalibrationOptions, { target, thresholds }: CalibrationRequest) => ({
  schemaVersion: CALIBRATION_SCHEMA_VERSION,
  tool: { name: "dynn", version: options.version },
  model: {
    name: options.model.name,
    parameters: options.model.parameters,
    classes: options.model.classes,
    ...readingOf(options.model),
  },
  data: {
    test: { name: options.test.name, samples: options.test.count },
    validation: { name: options.validation.name, samples: options.validation.count },
    seed: options.seed,
    notes: notesOf(options.test, options.validation),
  },
  target,
  thresholdKind: thresholds,
  costUnit: target.kind === "latency" ? "milliseconds" : "share",
});

function exitRecords(
  { model }: CalibrationOptions,
  { temperatures }: CalibrationRequest,
  splits: Splits,
  milliseconds: readonly number[] | undefined,
) {
  const [validation, test] = [exitsOn(splits.validation, temperatures), exitsOn(splits.test, temperatures)];
  return model.exits.map(({ name, macs, costFraction }, k) => ({
    name,
    macs,
    costFraction,
    milliseconds: milliseconds?.[k],
    temperature: temperatures?.[k],
    validation: validation[k],
    test: test[k],
  }));
}

/** The points of a curve, each on the validation and on the test records. */
function pointsOf(
  points: readonly OperatingPoint[],
  request: CalibrationRequest,
  validation: Split,
  test: Split,
): CalibrationPoint[] {
  const tested = outcomesAt(
    test,
    request,
    points.map((p) => p.thresholds),
  );
  const side = ({ accuracy, cost }: OperatingPoint, samples: number) => ({
    accuracy: wilson(Math.round(accuracy * samples), samples),
    cost,
  });
  return points.map((point, i) => ({
    thresholds: [...point.thresholds],
    validation: side(point, validation.labels.length),
    test: side(tested[i], test.labels.length),
  }));
}
