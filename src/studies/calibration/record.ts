/** @file The record of a calibration: a join over the results of its tasks. */
import { notesOf } from "../../data/dataset.js";
import { type CalibrationRequest, type OperatingPoint, outcomesAt } from "../../dynamic/choose/calibrate.js";
import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import { wilson } from "../../measures/wilson.js";
import { CALIBRATION_SCHEMA_VERSION, type CalibrationPoint } from "../../schema/calibration-record.js";
import { digestRecord, madeRecord } from "../../schema/made.js";
import type { Rate } from "../../schema/numbers.js";
import type { Policy } from "../../schema/policy.js";
import { readingOf } from "../../schema/reading.js";
import type { Speeds } from "../../schema/speed.js";
import { steadinessOf } from "../../schema/steadiness.js";
import { gateRecords } from "../../schema/units.js";
import { finalAccuracy } from "../audit/tally.js";
import { chanceWarnings } from "../chance.js";
import { seenWarnings } from "../seen.js";
import type { Curves } from "../tasks/kinds/thresholds.js";
import type { CalibrationOptions } from "./options.js";
import { exitsOn, lostOn, outcomeOn, type Split } from "./split.js";
import type { WorstCaseRecord } from "./worst-case.js";

/** What the tasks gave. */
export interface Found {
  readonly model: DynamicModel;
  readonly validation: Split;
  readonly test: Split;
  /** The same records under the gates' own thresholds, where the final exit is compared with. */
  readonly whole: Splits;
  readonly speeds: Speeds | undefined;
  readonly times: Partial<TimedExits>;
  readonly request: Chosen;
  readonly curves: Curves;
  /** The test records under the gates of a point of the curves. */
  readonly testAt: (point: OperatingPoint) => Split;
  readonly worstCase: WorstCaseRecord | undefined;
}

/** The frame of the thresholds, with the policy that was chosen. */
type Chosen = Pick<CalibrationRequest, "rule" | "fallback" | "temperatures" | "costs" | "gateCosts"> & {
  readonly policy: Policy;
};

/** The fields of the record that come from tasks and options. */
export function recordOf(
  { model, validation, test, whole, speeds, times, request, curves, testAt, worstCase }: Found,
  given: CalibrationOptions,
) {
  const options = { ...given, model };
  const { milliseconds, roundSpread } = times;
  const unitTimes = milliseconds && timesOfUnits(model, milliseconds);
  const { policy } = request;
  return {
    ...header(options),
    warnings: warningsOf(options, finalAccuracy(test)),
    steadiness: steadinessOf(roundSpread),
    policy,
    exits: exitRecords(options, request, { validation, test }, milliseconds),
    validation: {
      ...outcomeOn(validation, policy, model, unitTimes),
      lost: lostOn(whole.validation, validation, policy),
    },
    test: { ...outcomeOn(test, policy, model, unitTimes), lost: lostOn(whole.test, test, policy) },
    speeds,
    curves: {
      uniform: pointsOf(curves.uniform, request, validation, testAt),
      perExit: pointsOf(curves.perExit, request, validation, testAt),
    },
    worstCase,
  };
}

/** Doubts about the accuracy, and about records that the network has learned from. */
function warningsOf({ model, validation, test }: CalibrationOptions, accuracy: Rate): string[] | undefined {
  const used = [
    { use: "reported", data: test },
    { use: "used to choose thresholds", data: validation },
  ];
  const all = [...(chanceWarnings(model, test, accuracy) ?? []), ...seenWarnings(model, used)];
  return all.length > 0 ? all : undefined;
}

/** What each exit and each gate costs. */
type GivenCosts = Pick<UnitCosts, "costs"> & { readonly gateCosts: readonly number[] };

/** The time of each unit: cumulative for exits, and for a gate its share of the MACs of the stage
 * that holds it. It is what an engine saves that skips the branch. */
export function timesOfUnits({ exits, gates }: DynamicModel, milliseconds: readonly number[]): GivenCosts {
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

const header = (options: CalibrationOptions) => ({
  schemaVersion: CALIBRATION_SCHEMA_VERSION,
  tool: { name: "dynn", version: options.version },
  ...madeRecord(options.made),
  model: {
    name: options.model.name,
    ...digestRecord(options.model),
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
  testAt: Found["testAt"],
): CalibrationPoint[] {
  const side = ({ accuracy, cost }: OperatingPoint, samples: number) => ({
    accuracy: wilson(Math.round(accuracy * samples), samples),
    cost,
  });
  return points.map((point) => {
    const test = testAt(point);
    const [tested] = outcomesAt(test, { ...request, lists: [point.thresholds] });
    return {
      thresholds: [...point.thresholds],
      ...(point.gates ? { gates: { thresholds: [...point.gates] } } : {}),
      validation: side(point, validation.labels.length),
      test: side(tested, test.labels.length),
    };
  });
}
