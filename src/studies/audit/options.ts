/** @file What an audit is given and what it returns. */

import type { AttackConfig } from "../../attacks/config.js";
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { AuditRecord, GalleryItem } from "../../schema/audit-record.js";
import type { PolicyChoice } from "../policy.js";
import type { RunStore } from "./store.js";

/** Radii, in pixel units and rising, at which robust accuracy is measured for the curve. */
export interface CurveOptions {
  readonly radii: readonly number[];
  readonly steps: number;
}

export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export interface AuditOptions {
  readonly model: DynamicModel;
  readonly backend: Backend;
  /** The samples to report on; validation samples must not be among them. */
  readonly data: Dataset;
  readonly policy: PolicyChoice;
  readonly attacks: readonly AttackConfig[];
  readonly curves?: CurveOptions | undefined;
  readonly seed: number;
  /** Samples per evaluation; changes time and memory, never results. */
  readonly batch: number;
  /** Version written into the record. */
  readonly version: string;
  /** Keeps finished attacks, so that an interrupted audit can go on. */
  readonly store?: RunStore | undefined;
  /** Images to show per attack. */
  readonly galleryPerAttack?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds; only for the `seconds` fields. */
  readonly now: () => number;
}

export interface AuditOutcome {
  readonly record: AuditRecord;
  readonly gallery: readonly GalleryItem[];
  /** The adversarial images of each attack, float32 [samples*c*h*w]. */
  readonly adversarial: ReadonlyMap<string, Float32Array>;
}
