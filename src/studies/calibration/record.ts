/** @file The record of a calibration: a join over the results of its tasks. */
import { notesOf } from "../../data/dataset.js";
import { type CalibrationRequest, type OperatingPoint, outcomesAt } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import { wilson } from "../../measures/wilson.js";
import { CALIBRATION_SCHEMA_VERSION, type CalibrationPoint } from "../../schema/calibration-record.js";
import type { Policy } from "../../schema/policy.js";
import { readingOf } from "../../schema/reading.js";
import { steadinessOf } from "../../schema/steadiness.js";
import { finalAccuracy } from "../audit/tally.js";
import { chanceWarnings } from "../chance.js";
import type { Curves } from "../tasks/kinds/thresholds.js";
import type { CalibrationOptions } from "./options.js";
import { exitsOn, outcomeOn, type Split } from "./split.js";
import type { WorstCaseRecord } from "./worst-case.js";

/** What the tasks gave. */
export interface Found {
  readonly model: DynamicModel;
  readonly validation: Split;
  readonly test: Split;
  readonly times: Partial<TimedExits>;
  readonly request: Chosen;
  readonly curves: Curves;
  readonly worstCase: WorstCaseRecord | undefined;
}

/** The frame of the thresholds, with the policy that was chosen. */
type Chosen = Pick<CalibrationRequest, "rule" | "fallback" | "temperatures" | "costs"> & { readonly policy: Policy };

/** The fields of the record that come from tasks and options. */
export function recordOf(
  { model, validation, test, times, request, curves, worstCase }: Found,
  given: CalibrationOptions,
) {
  const options = { ...given, model };
  const costFractions = model.exits.map((e) => e.costFraction);
  const { milliseconds, roundSpread } = times;
  const { policy } = request;
  return {
    ...header(options),
    warnings: chanceWarnings(model, options.test, finalAccuracy(test)),
    steadiness: steadinessOf(roundSpread),
    policy,
    exits: exitRecords(options, request, { validation, test }, milliseconds),
    validation: outcomeOn(validation, policy, costFractions, milliseconds),
    test: outcomeOn(test, policy, costFractions, milliseconds),
    curves: {
      uniform: pointsOf(curves.uniform, request, validation, test),
      perExit: pointsOf(curves.perExit, request, validation, test),
    },
    worstCase,
  };
}

interface Splits {
  readonly validation: Split;
  readonly test: Split;
}

const header = (options: CalibrationOptions) => ({
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
  target: options.target,
  thresholdKind: options.thresholds,
  costUnit: options.target.kind === "latency" ? "milliseconds" : "share",
});

function exitRecords(
  { model }: CalibrationOptions,
  { temperatures }: Chosen,
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
  request: Chosen,
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
