/** @file What an audit is given and what it returns. */

import type { AttackConfig } from "../../attacks/config.js";
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { AuditRecord, GalleryItem } from "../../schema/audit-record.js";
import type { PolicyChoice } from "../policy.js";
import type { RunStore } from "./run-store.js";

/** Radii, in pixel units and rising, at which robust accuracy is measured for the curve. */
export interface CurveOptions {
  /** Radii in pixel units, from small to large. */
  readonly radii: readonly number[];
  /** Steps of the attack at each radius. */
  readonly steps: number;
}

/** How far a study is. */
export interface Progress {
  /** What it does now. */
  readonly phase: string;
  /** Units of the phase that are done. */
  readonly done: number;
  /** Units of the phase. */
  readonly total: number;
}

/** What an audit is given. */
export interface AuditOptions {
  /** The model to audit. */
  readonly model: DynamicModel;
  /** Runs the model and the gradients. */
  readonly backend: Backend;
  /** The samples to report on; validation samples must not be among them. */
  readonly data: Dataset;
  /** When samples leave: given, or chosen on validation samples. */
  readonly policy: PolicyChoice;
  /** The attacks to run, in this order. */
  readonly attacks: readonly AttackConfig[];
  /** Radii for the curve of robust accuracy. Left out: no curve. */
  readonly curves?: CurveOptions | undefined;
  /** Decides every random number. The same seed gives the same bytes. */
  readonly seed: number;
  /** Samples per evaluation; changes time and memory, never results. */
  readonly batch: number;
  /** Version written into the record. */
  readonly version: string;
  /** Keeps finished attacks, so that an interrupted audit can go on. */
  readonly store?: RunStore | undefined;
  /** Images to show per attack. */
  readonly galleryPerAttack?: number | undefined;
  /** Ends the audit with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds; only for the `seconds` fields. */
  readonly now: () => number;
}

/** What an audit returns. */
export interface AuditOutcome {
  /** The record. docs/audit-json.md explains every field. */
  readonly record: AuditRecord;
  /** Images for the report. */
  readonly gallery: readonly GalleryItem[];
  /** The adversarial images of each attack, float32 [samples*c*h*w]. */
  readonly adversarial: ReadonlyMap<string, Float32Array>;
}
