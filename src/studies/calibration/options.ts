/** @file The input and the output of a calibration. */
import type { AttackConfig } from "../../attacks/spec.js";
import type { Dataset } from "../../data/dataset.js";
import type { ThresholdKind, WorstBounds } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import type { Backend } from "../../runtime/backend.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import type { Made } from "../../schema/made.js";
import type { Fallback, Policy, Rule } from "../../schema/policy.js";
import type { Speeds } from "../../schema/speed.js";
import type { CalibrationTarget } from "../../schema/target.js";
import type { Progress } from "../audit/options.js";
import type { TaskKeeper } from "../tasks/kept-tasks.js";

/** An attack, and bounds that the policy must keep under it. */
export interface WorstCaseOptions extends WorstBounds {
  /** The attack. */
  readonly attack: AttackConfig;
  /** Largest number of attacked validation records, and of attacked test records. */
  readonly samples: number;
}

/** The input of {@link calibrateModel}. */
export interface CalibrationOptions {
  /** The model to choose thresholds for. */
  readonly model: DynamicModel;
  /** Runs the model. */
  readonly backend: Backend;
  /** Records on which the policy is chosen. */
  readonly validation: Dataset;
  /** Records on which the policy is reported. They must not be among the validation records. */
  readonly test: Dataset;
  /** The rule that computes confidences. */
  readonly rule: Rule;
  /** The exit that answers when no early exit fires. */
  readonly fallback: Fallback;
  readonly target: CalibrationTarget;
  readonly thresholds: ThresholdKind;
  /** Whether to fit a temperature to each exit first. */
  readonly temperature: boolean;
  /** An attack under which bounds must hold. Undefined: none. */
  readonly worstCase?: WorstCaseOptions | undefined;
  /** Images in one batch when the times of exits are measured, which the target `latency` takes as
   * costs. Default: 1. */
  readonly timeBatch?: number | undefined;
  /** The times of exits, measured elsewhere, for example by `timeExits` on a device. Left out: the
   * target `latency` measures them. */
  readonly times?: TimedExits | undefined;
  /** Measures how fast the model is under the policy that was chosen. Left out: not measured. */
  readonly measureSpeed?: ((policy: Policy) => Promise<Speeds>) | undefined;
  /** The seed of every random number. */
  readonly seed: number;
  /** Samples per evaluation. This number changes time and memory, never results. Left out: as many
   * as the memory allows, at most 64. */
  readonly batch: number;
  /** Version of dynn, for the record. */
  readonly version: string;
  /** When, how and where the calibration runs, for the record. Left out: the record does not
   * say. */
  readonly made?: Made | undefined;
  /** Keeps finished tasks for the next call, see `taskKeeper` of dynn/node. */
  readonly kept?: TaskKeeper | undefined;
  /** Stops the calibration. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds. Only the `seconds` field uses it. */
  readonly now: () => number;
}

/** The output of {@link calibrateModel}. */
export interface CalibrationResult {
  /** The chosen policy. */
  readonly policy: Policy;
  /** The record. docs/calibration.md explains it. */
  readonly record: CalibrationRecord;
}
