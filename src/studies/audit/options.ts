/** @file The input and the output of an audit. */

import type { AttackConfig } from "../../attacks/spec.js";
import type { Dataset } from "../../data/dataset.js";
import type { EnsembleForm } from "../../dynamic/model/ensemble.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { AuditRecord, GalleryItem } from "../../schema/audit-record.js";
import type { Made } from "../../schema/made.js";
import type { Policy } from "../../schema/policy.js";
import type { SampleRow } from "../../schema/sample-row.js";
import type { PolicyChoice } from "../policy.js";
import type { TaskKeeper } from "../tasks/kept-tasks.js";
import type { RunStore } from "./run-store.js";

/** The radii and the steps of a curve of robust accuracy. */
export interface CurveOptions {
  /** Radii in pixel units, from small to large. */
  readonly radii: readonly number[];
  /** Steps of the attack at each radius. */
  readonly steps: number;
}

/** The progress of a study. */
export interface Progress {
  /** Name of the current phase. */
  readonly phase: string;
  /** Finished units of the phase. */
  readonly done: number;
  /** All units of the phase. */
  readonly total: number;
}

/** A network that stands in for the audited one while attacks search. */
export interface Surrogate {
  /** The network, or several as one (see `ensemble`). It takes the same images and classes. */
  readonly model: DynamicModel;
  /** Decides at which exit a sample stops. The attacks on its routed answer follow it. */
  readonly policy: Policy;
  /** How records name it. */
  readonly names: readonly string[];
  /** How several networks became one. Under "losses" an attack on the final exit takes the goal
   * average. */
  readonly form?: EnsembleForm | undefined;
}

/** The input of an audit. */
export interface AuditOptions {
  /** The model to audit. */
  readonly model: DynamicModel;
  /** Runs the model and the gradients. */
  readonly backend: Backend;
  /** The samples to report on. Validation samples must not be among them. */
  readonly data: Dataset;
  /** The policy: given, or to be chosen on validation samples. */
  readonly policy: PolicyChoice;
  /** The network that the attacks search on, when the attacker does not see the audited one. Its
   * images are judged on the audited model. */
  readonly surrogate?: Surrogate | undefined;
  /** A static network that a network with gates is compared with: how difficult each sample is for
   * it. It takes the same images and classes. */
  readonly baseline?: DynamicModel | undefined;
  /** Compares the decisions of gates with fixed blocks and random gates of equal cost, which are
   * chosen on these records. Left out: no comparison. */
  readonly gateBaselines?: { readonly validation: Dataset } | undefined;
  /** The attacks to run, in this order. */
  readonly attacks: readonly AttackConfig[];
  /** Options of the curve of robust accuracy. Undefined: no curve. */
  readonly curves?: CurveOptions | undefined;
  /** The seed of every random number. The same seed gives the same bytes. */
  readonly seed: number;
  /** How many seeds the attacks run with: `seed`, `seed` + 1 and so on. The policy and the samples
   * stay those of the first. Default: 1. */
  readonly seeds?: number | undefined;
  /** Samples per evaluation. This number changes time and memory, never results. Left out: as many
   * as the memory allows, at most 64. */
  readonly batch: number;
  /** Version of dynn, for the record. */
  readonly version: string;
  /** When, how and where the audit runs, for the record. Left out: the record does not say. */
  readonly made?: Made | undefined;
  /** Keeps finished attacks, so that an interrupted audit can resume. */
  readonly store?: RunStore | undefined;
  /** Keeps finished tasks for the next call, see `taskKeeper` of dynn/node. */
  readonly kept?: TaskKeeper | undefined;
  /** Whether the record holds one entry per attacked sample. The default is false. */
  readonly perSample?: boolean | undefined;
  /** Number of images per attack in the report. */
  readonly galleryPerAttack?: number | undefined;
  /** Stops the audit. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress within each phase. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Clock in milliseconds. Only the `seconds` fields use it. */
  readonly now: () => number;
}

/** The output of an audit. */
export interface AuditOutcome {
  /** The record. docs/audit-json.md explains every field. */
  readonly record: AuditRecord;
  /** Images for the report. */
  readonly gallery: readonly GalleryItem[];
  /** One row per sample, attack and seed. */
  readonly rows: readonly SampleRow[];
  /** The adversarial images of each attack, float32 [samples*c*h*w]. With several seeds: those of
   * the first. */
  readonly adversarial: ReadonlyMap<string, Float32Array>;
}
