/** @file Where finished attacks are kept: what a store holds, and what it can do. */
import type { SampleOutcome } from "../../attacks/runner.js";

/** The outcomes of one attack on some samples, and the seconds they took. */
export interface StoredRun {
  readonly outcomes: readonly SampleOutcome[];
  readonly seconds: number;
}

/** Where runs are kept. A store that cannot read what it finds returns undefined. */
export interface RunStore {
  /** The run that was saved under this name and fingerprint, or undefined. */
  readonly load: (name: string, fingerprint: string) => Promise<StoredRun | undefined>;
  /** Keep a finished run. */
  readonly save: (name: string, fingerprint: string, run: StoredRun) => Promise<void>;
}
