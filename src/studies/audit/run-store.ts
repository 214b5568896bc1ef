/** @file The interface of a store of finished attacks. */
import type { SampleOutcome } from "../../attacks/attack.js";

/** The outcomes of one attack on some samples, and the seconds they took. */
export interface StoredRun {
  readonly outcomes: readonly SampleOutcome[];
  readonly seconds: number;
}

/** A store of runs. When it cannot read a run, it returns undefined. */
export interface RunStore {
  /** The run that was saved under this name and fingerprint, or undefined. */
  readonly load: (name: string, fingerprint: string) => Promise<StoredRun | undefined>;
  /** Saves a finished run. */
  readonly save: (name: string, fingerprint: string, run: StoredRun) => Promise<void>;
}
