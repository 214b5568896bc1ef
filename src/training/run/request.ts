/** @file What a training run is given: the network, the records, the configuration, and whom to tell. */
import type { BatchPlace, TrainingBatch } from "../../data/batches.js";
import type { Dataset } from "../../data/dataset.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import type { EpochReport } from "../../schema/training.js";
import type { StepReport, TrainingConfig } from "../recipe/config.js";
import type { TrainingState } from "../step/state.js";

/** A network to train: not simplified, parameters under their names, logits of every exit among the outputs. */
export interface TrainableModel {
  readonly graph: Graph;
  readonly exits: readonly { readonly name: string; readonly logits: ValueName; readonly costFraction: number }[];
}

/** What `train` is given. */
export interface TrainingRequest {
  /** The network to train: a graph with named parameters, and its exits. */
  readonly model: TrainableModel;
  /** Records to learn from. */
  readonly train: Dataset;
  /** Records that accuracy is measured on after each epoch. */
  readonly validation: Dataset;
  /** Recipe, optimizer, schedule and the rest, as `trainingConfig` makes them. */
  readonly config: TrainingConfig;
  /** Runs the training steps. */
  readonly backend: Backend;
  /** Batches from a place on; left out: made from `train` as they are needed. Must give the bytes of `trainingStream`. */
  readonly stream?: ((from: BatchPlace) => AsyncIterable<TrainingBatch>) | undefined;
  /** Bytes that kept features of a frozen backbone may take. */
  readonly featureMemory?: number | undefined;
  /** A kept state to go on from. The result has the same bytes as without a break. */
  readonly resume?: TrainingState | undefined;
  /** Ends training after the step that runs. */
  readonly signal?: AbortSignal | undefined;
  /** Images that a frozen backbone has been run on, before the first step, where its features are kept. */
  readonly onFeatures?: ((done: number, total: number) => void) | undefined;
  /** Told after each step. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Told after each epoch. Training waits for a promise. */
  readonly onEpoch?: ((report: EpochReport) => Promise<void> | void) | undefined;
  /** When and where states are kept. Left out: nowhere. */
  readonly checkpoint?: TrainingCheckpoint | undefined;
}

export interface TrainingCheckpoint {
  /** At most this often within an epoch; always at its end. */
  readonly everySeconds: number;
  readonly save: (state: TrainingState) => Promise<void>;
}
