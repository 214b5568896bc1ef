/** @file The input of a profile. */
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { Machine, Made } from "../../schema/made.js";
import type { Fallback, Rule } from "../../schema/policy.js";
import type { Progress } from "../audit/options.js";
import type { OpenRecorded } from "../defaults.js";
import type { TaskKeeper } from "../tasks/kept-tasks.js";

/** The operating points to measure. */
export interface PointOptions {
  /** At least one rule. Chosen points use the first rule. Each rule has a sweep. */
  readonly rules: readonly Rule[];
  /** The exit that answers when no early exit fires. */
  readonly fallback: Fallback;
  /** Thresholds to measure, each for all early exits. They replace chosen points and sweeps. */
  readonly thresholds?: readonly number[] | undefined;
}

/** What the caller of `profile` gives. The version, the clock and the machine may be left out. */
export type ProfileRequest = OpenRecorded<Omit<ProfileOptions, "machine">> & {
  /** The machine, for the record. Default: that of `made`, or as the backend describes it. */
  readonly machine?: Machine | undefined;
};

/** The input of a profile, complete. */
export interface ProfileOptions extends PointOptions {
  /** The model to measure. */
  readonly model: DynamicModel;
  /** Runs the model. */
  readonly backend: Backend;
  /** The images to time and to report on. */
  readonly data: Dataset;
  /** Records on which thresholds are chosen. They must not be in `data`. Without them, only points
   * with known thresholds are measured. */
  readonly validation?: Dataset | undefined;
  /** Another network to compare with, run up to its final exit. */
  readonly baseline?: DynamicModel | undefined;
  /** Batch sizes: at least one, and each at most the number of images. */
  readonly batches: readonly number[];
  /** Number of rounds. In each round, every network is measured, one after the other. */
  readonly rounds: number;
  /** The seed of the draw of `validation`, for the record. */
  readonly seed: number;
  /** Version of dynn, for the record. */
  readonly version: string;
  /** When, how and where the profile runs, for the record. Left out: the record has the machine
   * alone. */
  readonly made?: Made | undefined;
  /** The machine, for the record. */
  readonly machine: Machine;
  /** Keeps finished tasks for the next call, see `taskKeeper` of dynn/node. */
  readonly kept?: TaskKeeper | undefined;
  /** Stops the measurement. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds. */
  readonly now: () => number;
}
