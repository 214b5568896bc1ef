/** @file What a profile is given. */
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { Fallback, Rule } from "../../schema/policy.js";
import type { Machine } from "../../schema/profile-record.js";
import type { Progress } from "../audit/options.js";

/** Which operating points of the model are measured. */
export interface PointOptions {
  /** At least one. Chosen points are of the first; each has a sweep. */
  readonly rules: readonly Rule[];
  /** Which exit answers when none fires. */
  readonly fallback: Fallback;
  /** One for all early exits each, in place of chosen points and sweeps. */
  readonly thresholds?: readonly number[] | undefined;
}

/** What {@link profile} is given. */
export interface ProfileOptions extends PointOptions {
  /** The model to measure. */
  readonly model: DynamicModel;
  /** Runs the model. */
  readonly backend: Backend;
  /** The images that are timed and reported on. */
  readonly data: Dataset;
  /** Records to choose thresholds on, none of them in `data`; without them, only points that need no choice are measured. */
  readonly validation?: Dataset | undefined;
  /** Another network to compare with, run up to its final exit. */
  readonly baseline?: DynamicModel | undefined;
  /** Batch sizes, at least one, none larger than the data. */
  readonly batches: readonly number[];
  /** How often everything is measured; the networks take turns. */
  readonly rounds: number;
  /** Written into the record; what was drawn with it is in `validation`. */
  readonly seed: number;
  /** Version written into the record. */
  readonly version: string;
  /** The machine, as the record names it. */
  readonly machine: Machine;
  /** Ends the measurement with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds. */
  readonly now: () => number;
}
