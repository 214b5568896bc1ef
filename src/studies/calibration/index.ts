/** @file The calibration fits temperatures and thresholds on the validation records, and reports
 *  them on the test records. It makes every number of the record. The caller keeps the two splits
 *  apart. The choice of the policy never uses a test record. */

import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { notesOf } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import { type Calibration, fitTemperature, type OperatingPoint, outcomesAt } from "../../dynamic/choose/calibrate.js";
import { calibrateUnits, type UnitRequest } from "../../dynamic/choose/calibrate-units.js";
import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { GatedRuns, unitShares } from "../../dynamic/run/gated-runs.js";
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
import { gateRecords, isRoutable } from "../../schema/units.js";
import { perExit } from "../audit/tally.js";
import { attackRoom, batchOf, type OpenBatch } from "../batch.js";
import { chanceWarnings } from "../chance.js";
import { withCheckedModel } from "../checked-model.js";
import type { CalibrationOptions, CalibrationResult } from "./options.js";
import { exitsOn, type MeasuredSplit, openSplit, outcomeOn, type Split, underGates } from "./split.js";
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
  const { model } = options;
  const runs = new GatedRuns(model, options.backend);
  try {
    const validation = await openSplit(options.validation, runs, "validation images", options);
    const test = await openSplit(options.test, runs, "test images", options);
    const own = await underGates(validation, {}, model);
    await underGates(test, {}, model);
    const { milliseconds, roundSpread } = timesOf(await options.measureExits?.());
    const request = requestOf(options, own, milliseconds);
    const room = attackRoom(memory, model);
    const { calibration, worstCase } = await choose(request, { validation, test }, { ...options, room });
    const { policy } = calibration;
    const found = {
      validation: await underGates(validation, policy, model),
      test: await underGates(test, policy, model),
    };
    const times = milliseconds && timesOfUnits(model, milliseconds);
    const record = calibrationRecordSchema.parse({
      ...header(options, request),
      memory,
      warnings: chanceWarnings(options.model, options.test, finalAccuracy(found.test)),
      steadiness: steadinessOf(roundSpread),
      policy,
      exits: exitRecords(options, request, found, milliseconds),
      validation: outcomeOn(found.validation, policy, model, times),
      test: outcomeOn(found.test, policy, model, times),
      curves: {
        uniform: await pointsOf(calibration.uniform, request, validation, test),
        perExit: await pointsOf(calibration.perExit, request, validation, test),
      },
      worstCase,
      seconds: (options.now() - started) / 1000,
    });
    return { policy, record };
  } finally {
    await runs.release();
  }
}

/** Times of exits, with the spread of the rounds if it was measured. */
function timesOf(measured: readonly number[] | TimedExits | undefined): Partial<TimedExits> {
  if (measured === undefined) return {};
  return "milliseconds" in measured ? measured : { milliseconds: measured };
}

const finalAccuracy = ({ logits, labels }: MeasuredSplit): Rate =>
  present(perExit(logits, labels).at(-1), "the final exit");

/** @throws DynnError 'policy/validation' */
function checkExits({ model, target, measureExits }: CalibrationOptions): void {
  if (!isRoutable(model))
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
  split: MeasuredSplit,
  milliseconds: readonly number[] | undefined,
): UnitRequest {
  const temperatures = temperature ? model.exits.map((_, exit) => fitTemperature(split, exit)) : undefined;
  return {
    rule,
    fallback,
    temperatures,
    target,
    thresholds,
    gates: model.gates.length,
    ...(target.kind === "latency" ? timesOfUnits(model, milliseconds ?? []) : unitShares(model)),
  };
}

/** The time of each unit: cumulative for exits, and for a gate its share of the MACs of the stage
 * that holds it. It is what an engine saves that skips the branch. */
function timesOfUnits({ exits, gates }: DynamicModel, milliseconds: readonly number[]): UnitCosts {
  const stage = (of: readonly number[], k: number): number => of[k] - (k > 0 ? of[k - 1] : 0);
  const macs = exits.map((e) => e.macs);
  return {
    costs: milliseconds,
    gateCosts: gates.map((gate) => (stage(milliseconds, gate.exit) * gate.macs) / stage(macs, gate.exit)),
  };
}

interface Splits {
  readonly validation: Split;
  readonly test: Split;
}

async function choose(
  request: UnitRequest,
  splits: Splits,
  options: Parameters<typeof boundWorstCase>[3],
): Promise<{ readonly calibration: Calibration; readonly worstCase: WorstCaseRecord | undefined }> {
  if (options.worstCase) return boundWorstCase(request, splits, options.worstCase, options);
  return { calibration: await calibrateUnits(splits.validation, request), worstCase: undefined };
}

const header = (options: CalibrationOptions, { target, thresholds }: UnitRequest) => ({
  schemaVersion: CALIBRATION_SCHEMA_VERSION,
  tool: { name: "dynn", version: options.version },
  model: {
    name: options.model.name,
    parameters: options.model.parameters,
    classes: options.model.classes,
    ...readingOf(options.model),
    ...gateRecords(options.model),
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
  { temperatures }: UnitRequest,
  splits: Readonly<Record<keyof Splits, MeasuredSplit>>,
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
async function pointsOf(
  points: readonly OperatingPoint[],
  request: UnitRequest,
  validation: Split,
  test: Split,
): Promise<CalibrationPoint[]> {
  const zeros = new Array<number>(request.gates).fill(0);
  const tested: OperatingPoint[] = [];
  for (const { thresholds, gates = zeros } of points)
    tested.push(...outcomesAt(await test.at(gates), request, [thresholds]));
  const side = ({ accuracy, cost }: OperatingPoint, samples: number) => ({
    accuracy: wilson(Math.round(accuracy * samples), samples),
    cost,
  });
  return points.map((point, i) => ({
    thresholds: [...point.thresholds],
    ...(point.gates ? { gates: { thresholds: [...point.gates] } } : {}),
    validation: side(point, validation.labels.length),
    test: side(tested[i], test.labels.length),
  }));
}
