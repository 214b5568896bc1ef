/** @file The interface of the executor's engines: a queue takes samples and returns their
 *  answers. */
import type { Routed } from "../../route/route.js";
import type { Rows } from "./rows.js";

/** One run of a stage. */
export interface StageRun {
  /** Number of the stage. */
  readonly stage: number;
  /** Samples in this run. */
  readonly rows: number;
}

/** The routed answer, and the logits that it was read from. */
export interface StageAnswer extends Routed {
  /** Logits of the answering exit. */
  readonly logits: Float32Array;
}

/** An answer, and the number of its sample. */
export interface Answered {
  readonly index: number;
  readonly answer: StageAnswer;
}

/** The samples of one stream that have no answer yet. */
export interface SampleQueue {
  /** Adds samples with their images. */
  readonly enter: (rows: Rows) => void;
  /** Number of samples before the first stage. */
  readonly waiting: number;
  /** Whether the queue holds no sample. */
  readonly empty: boolean;
  /** Runs one batch. The engine chooses the samples.
   * @returns the samples that this run answers */
  readonly run: () => Promise<Answered[]>;
}
