/** @file The interface of a store of attacks, finished and unfinished. */
import type { SampleOutcome } from "../../attacks/attack.js";

/** The outcomes of one attack on some samples, and the seconds they took. */
export interface StoredRun {
  readonly outcomes: readonly SampleOutcome[];
  readonly seconds: number;
  /** What the images are, for those who load them elsewhere. */
  readonly manifest?: RunManifest;
}

/** The facts about the images of a run. */
export interface RunManifest {
  readonly attack: string;
  readonly goal: string;
  readonly method: string;
  readonly norm: string;
  /** In pixel units, or null without a limit. */
  readonly radius: number | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The seed of the attack. */
  readonly seed: number;
  /** The network that the attack searched on. */
  readonly network: string;
  /** [c,h,w] of one image. */
  readonly image: readonly number[];
  /** Record numbers in the data set. */
  readonly records: readonly number[];
  /** The true class of each image. */
  readonly labels: readonly number[];
}

/** A part of an unfinished run. */
export interface RunPart {
  /** Outcomes by the place of their samples. */
  readonly outcomes: ReadonlyMap<number, SampleOutcome>;
  /** Seconds of work since the part before. */
  readonly seconds: number;
}

/** A store of runs. When it cannot read a run, it returns undefined. A store may refuse to replace
 * a run that it holds under the same name and another fingerprint. */
export interface RunStore {
  /** The run that was saved under this name and fingerprint, or undefined. */
  readonly load: (name: string, fingerprint: string) => Promise<StoredRun | undefined>;
  /** All parts that were saved under this name and fingerprint, as one. */
  readonly loadParts: (name: string, fingerprint: string) => Promise<RunPart>;
  /** Saves a part of an unfinished run, beside the parts before it. */
  readonly savePart: (name: string, fingerprint: string, part: RunPart) => Promise<void>;
  /** Saves a finished run, and removes its parts. */
  readonly save: (name: string, fingerprint: string, run: StoredRun) => Promise<void>;
}
