/** @file What a calibration is given and what it returns. */
import type { AttackConfig } from "../../attacks/config.js";
import type { Dataset } from "../../data/dataset.js";
import type { ThresholdKind, WorstBounds } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { TimedExits } from "../../dynamic/run/timing.js";
import type { Backend } from "../../runtime/backend.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import type { Fallback, Policy, Rule } from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";
import type { Progress } from "../audit/options.js";

/** An attack under which the policy is to keep bounds. */
export interface WorstCaseOptions extends WorstBounds {
  /** The attack. */
  readonly attack: AttackConfig;
  /** At most so many validation records are attacked, and as many test records. */
  readonly samples: number;
}

/** What {@link calibrateModel} is given. */
export interface CalibrationOptions {
  /** The model to choose thresholds for. */
  readonly model: DynamicModel;
  /** Runs the model. */
  readonly backend: Backend;
  /** Records that the policy is chosen on. */
  readonly validation: Dataset;
  /** Records that it is reported on; none of them may be among the validation records. */
  readonly test: Dataset;
  /** How exits judge their confidence. */
  readonly rule: Rule;
  /** Which exit answers when none fires. */
  readonly fallback: Fallback;
  readonly target: CalibrationTarget;
  readonly thresholds: ThresholdKind;
  /** Whether to fit a temperature to each exit first. */
  readonly temperature: boolean;
  /** An attack under which bounds have to hold. Left out: none. */
  readonly worstCase?: WorstCaseOptions | undefined;
  /** Measures the cumulative milliseconds per sample of each exit; needed for the target `latency`. `timeExits` also tells how
   *  steady the machine was, which the record then says. */
  readonly measureExits?: (() => Promise<readonly number[] | TimedExits>) | undefined;
  /** Decides every random number. */
  readonly seed: number;
  /** Samples per evaluation; changes time and memory, never results. */
  readonly batch: number;
  /** Version written into the record. */
  readonly version: string;
  /** Ends the calibration with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds; only for the `seconds` field. */
  readonly now: () => number;
}

/** What {@link calibrateModel} returns. */
export interface CalibrationResult {
  /** The chosen policy. */
  readonly policy: Policy;
  /** The record. docs/calibration.md explains it. */
  readonly record: CalibrationRecord;
}
