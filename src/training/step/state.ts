/** @file All that a training run carries from one step to the next. With the configuration, the data and the model it decides
 *  every later step, so a run that goes on from here ends with the same bytes as one that never stopped. */
import type { Tensor } from "../../core/tensor.js";
import type { EpochReport } from "../../schema/training.js";

/** All that a training run needs to go on with the same bytes. */
export interface TrainingState {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done in the epoch after those. */
  readonly step: number;
  /** Parameters and running statistics under the model's own names, and what the optimizer and the average of weights keep. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Running sums of the epoch's metrics, float64. */
  readonly sums: readonly number[];
  /** One report for each epoch done. */
  readonly epochs: readonly EpochReport[];
}
