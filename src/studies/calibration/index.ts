/** @file The calibration fits temperatures and thresholds on the validation records, and reports
 *  them on the test records. It makes every number of the record. The caller keeps the two splits
 *  apart. The choice of the policy never uses a test record. */

import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { present } from "../../core/present.js";
import { counted } from "../../core/units.js";
import { fitData } from "../../data/fit.js";
import type { OperatingPoint } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { unitShares } from "../../dynamic/run/gated-runs.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import type { BatchChoice } from "../../runtime/batch.js";
import { calibrationRecordSchema } from "../../schema/calibration-record.js";
import { singleExitPolicy } from "../../schema/policy.js";
import { isRoutable } from "../../schema/units.js";
import { batchOf, type OpenBatch, type StudyRequest } from "../batch.js";
import { recorded } from "../defaults.js";
import { InProcess } from "../tasks/in-process.js";
import { answersKind } from "../tasks/kinds/answers.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { EXIT_TIMES_FILE, exitTimesKind, readExitTimes } from "../tasks/kinds/exit-times.js";
import { IMAGES_FILE } from "../tasks/kinds/opened.js";
import { policyKind } from "../tasks/kinds/policy.js";
import { CURVES_FILE, readCurves, thresholdsKind } from "../tasks/kinds/thresholds.js";
import { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";
import type { CalibrationOptions, CalibrationResult } from "./options.js";
import {
  type AttackedTasks,
  type Choice,
  choiceTask,
  exitTimesTask,
  pointTasks,
  splitTask,
  underGates,
} from "./plan.js";
import { type Found, recordOf, timesOfUnits } from "./record.js";
import { boundWorstCase } from "./worst-case.js";

export type { CalibrationOptions, CalibrationResult, WorstCaseOptions } from "./options.js";

/** Choose a policy for a model.
 * @returns the policy, and the record that says what it is worth (docs/calibration.md)
 * @throws DynnError 'policy/validation' when no thresholds reach the target, or the model has a
 * single exit; 'policy/value'; when model and
 *         data do not fit together; the signal's reason when aborted */
export async function calibrateModel(given: StudyRequest<CalibrationOptions>): Promise<CalibrationResult> {
  checkGiven("calibrateModel", { options: given });
  checkGiven("calibrateModel", { model: given.model, backend: given.backend, data: given.validation });
  const request = recorded(given);
  const started = request.now();
  const memory = memoryFor(request);
  checkExits(request);
  const [validation, test] = [fitData(request.model, request.validation), fitData(request.model, request.test)];
  const options = { ...request, batch: memory.batch, validation, test };
  // A choice for gates reads the attacked images of all earlier rounds.
  const passing = request.model.gates.length > 0 ? [] : [IMAGES_FILE];
  const run = new InProcess({ ...options, memory, kinds: KINDS, passing });
  try {
    const found = await calibrated(options, run);
    const record = calibrationRecordSchema.parse({
      ...recordOf(found, options),
      memory,
      seconds: (request.now() - started) / 1000,
    });
    return { policy: found.request.policy, record };
  } finally {
    await run.release();
  }
}

const KINDS = {
  "exit-times": exitTimesKind,
  answers: answersKind,
  policy: policyKind,
  thresholds: thresholdsKind,
  craft: craftKind,
};

/** @throws DynnError 'memory/batch' */
function memoryFor({ worstCase, validation, test, ...runs }: OpenBatch<CalibrationOptions>): BatchChoice {
  // The clean images, and those of an attack with copies while it is judged.
  const attacked = worstCase === undefined ? 0 : 4 * worstCase.samples;
  return batchOf({ ...runs, gradients: worstCase !== undefined, images: validation.count + test.count + attacked });
}

/** Runs the tasks: the answers for both splits, and then the choice, in rounds under an attack. */
async function calibrated(options: CalibrationOptions, run: InProcess): Promise<Found> {
  const { rule, fallback, seed, worstCase: worst } = options;
  const [reported, chosenOn] = [run.data(options.test), run.data(options.validation)];
  const planned = await run.planned(options.model, { kind: "fixed", policy: singleExitPolicy({ rule }) }, reported);
  const { model } = planned;
  const plan = new CommandPlan();
  const validation = splitTask(plan, planned, chosenOn, "validation images");
  const test = splitTask(plan, planned, reported, "test images");
  const timed =
    options.target.kind === "latency" && !options.times
      ? exitTimesTask(plan, planned, reported, options.timeBatch ?? 1)
      : undefined;
  await run.all(plan);
  const times = timed === undefined ? (options.times ?? {}) : readExitTimes(run.bytes(timed, EXIT_TIMES_FILE));
  const choice = choiceOf(options, model, times);
  const choose = async (attacked: readonly AttackedTasks[]): Promise<TaskKey> => {
    const key = choiceTask(plan, planned, validation, choice, attacked);
    await run.all(plan);
    return key;
  };
  const costs = { costs: choice.parameters.costs, gateCosts: choice.gateCosts };
  const rounds = { plan, run, network: planned, model, validation, test, seed, costs, choose };
  const { chosen, worstCase } = worst
    ? await boundWorstCase(rounds, worst)
    : { chosen: await choose([]), worstCase: undefined };
  const policy = run.policy(chosen);
  const curves = readCurves(run.bytes(chosen, CURVES_FILE));
  const under = [validation, test].map((split) => underGates(plan, planned, split, chosen));
  const points = pointTasks(plan, planned, test, { rule, fallback }, [...curves.uniform, ...curves.perExit]);
  await run.all(plan);
  const testAt = ({ gates = [] }: Pick<OperatingPoint, "gates">) =>
    run.measured(present(points.get(gates.join()), "the task of a point"));
  return {
    ...{ model, times, worstCase, curves, testAt },
    whole: { validation: run.measured(validation.answers), test: run.measured(test.answers) },
    speeds: await options.measureSpeed?.(policy),
    ...{ validation: run.measured(under[0]), test: run.measured(under[1]) },
    request: { rule, fallback, temperatures: policy.temperatures, ...costs, policy },
  };
}

function choiceOf(
  { rule, fallback, target, thresholds, temperature, worstCase }: CalibrationOptions,
  model: DynamicModel,
  { milliseconds }: Partial<TimedExits>,
): Choice {
  const { costs, gateCosts } = target.kind === "latency" ? timesOfUnits(model, milliseconds ?? []) : unitShares(model);
  return {
    parameters: {
      ...{ rule, fallback, target, thresholds, fit: temperature, curves: true, costs: [...costs] },
      ...(worstCase && { bounds: { maxCost: worstCase.maxCost, minAccuracy: worstCase.minAccuracy } }),
    },
    gateCosts,
  };
}

/** @throws DynnError 'policy/validation' */
function checkExits({ model, target, times }: Pick<CalibrationOptions, "model" | "target" | "times">): void {
  if (!isRoutable(model))
    throw new DynnError(
      "policy/validation",
      `${model.name}: the model has a single exit, so there is no threshold to choose. Give it early exits with \`dynn convert\`.`,
      { model: model.name },
    );
  const given = times?.milliseconds.length ?? model.exits.length;
  if (given === model.exits.length) return;
  throw new DynnError(
    "policy/validation",
    `${model.name}: got ${counted(given, "time")}, expected one for each of its ${model.exits.length} exits. Measure them with timeExits, or leave them out.`,
    { target, times: given },
  );
}
