/** @file The input of a training run: the network, the records, the configuration, and the
 *  callbacks. */
import type { BatchPlace, TrainingBatch } from "../../data/batches.js";
import type { Dataset } from "../../data/dataset.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import type { EpochReport } from "../../schema/training.js";
import type { TrainedGate } from "../gates/attach.js";
import type { StepReport, TrainingConfig } from "../recipe/config.js";
import type { TrainingState } from "../step/state.js";

/** A network to train: not simplified, parameters under their names, logits of every exit among the
 * outputs. */
export interface TrainableModel {
  readonly graph: Graph;
  readonly exits: readonly {
    readonly name: string;
    readonly logits: ValueName;
    readonly costFraction: number;
    /** MACs of one sample. Reports of gates need it. */
    readonly macs?: number;
  }[];
  /** The gates of blocks. Left out: none. */
  readonly gates?: readonly TrainedGate[] | undefined;
}

/** The input of `train`. */
export interface TrainingRequest {
  /** The network to train: a graph with named parameters, and its exits. */
  readonly model: TrainableModel;
  /** Records to learn from. */
  readonly train: Dataset;
  /** Records for the accuracy after each epoch. */
  readonly validation: Dataset;
  /** The configuration that `trainingConfig` makes. */
  readonly config: TrainingConfig;
  /** Runs the training steps. */
  readonly backend: Backend;
  /** Batches from a place on. They must have the bytes of `trainingStream`. By default, they are
   * made from `train` when needed. */
  readonly stream?: ((from: BatchPlace) => AsyncIterable<TrainingBatch>) | undefined;
  /** Limit for kept features of a frozen backbone, in bytes. */
  readonly featureMemory?: number | undefined;
  /** A kept state from which to resume. The result has the same bytes as a run without a break. */
  readonly resume?: TrainingState | undefined;
  /** Stops training after the current step. */
  readonly signal?: AbortSignal | undefined;
  /** Called while features are computed for keeping, before the first step. It gets the number of
   * finished images and of all images. */
  readonly onFeatures?: ((done: number, total: number) => void) | undefined;
  /** Called after each step. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Called after each epoch. If it returns a promise, training waits for the promise. */
  readonly onEpoch?: ((report: EpochReport) => Promise<void> | void) | undefined;
  /** When and where to keep states. By default, states are not kept. */
  readonly checkpoint?: TrainingCheckpoint | undefined;
}

export interface TrainingCheckpoint {
  /** Seconds between two checkpoints within an epoch. A checkpoint is always saved at its end. */
  readonly everySeconds: number;
  readonly save: (state: TrainingState) => Promise<void>;
}
