/** @file What an engine of the executor is: it takes samples in and gives them back with their answers. */
import type { Routed } from "../../route/route.js";
import type { Rows } from "./rows.js";

/** Rows that a stage was run on at once. */
export interface StageRun {
  /** The stage, by its number. */
  readonly stage: number;
  /** Samples in this run. */
  readonly rows: number;
}

/** The routed answer, and the logits that it was read from. */
export interface StageAnswer extends Routed {
  /** Of the exit that answers. */
  readonly logits: Float32Array;
}

/** An answer, and the sample that it is for. */
export interface Answered {
  readonly index: number;
  readonly answer: StageAnswer;
}

/** The samples of one stream on their way. */
export interface SampleQueue {
  /** Samples with their images. */
  readonly enter: (rows: Rows) => void;
  /** Samples that no work has been done on. */
  readonly waiting: number;
  /** Whether no sample is on its way. */
  readonly empty: boolean;
  /** Run one batch of the samples that suit best.
   * @returns those that are answered now */
  readonly run: () => Promise<Answered[]>;
}
