/** @file The state of a training run between two steps. The state, the configuration, the data and
 *  the model decide every later step. So a resumed run ends with the same bytes as a run without a
 *  break. */
import type { Tensor } from "../../core/tensor.js";
import type { EpochReport } from "../../schema/training.js";

/** The state that a resumed run needs to end with the same bytes. */
export interface TrainingState {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done in the current epoch. */
  readonly step: number;
  /** Parameters and running statistics under the model's own names, the state of the optimizer, and
   * the averages of weights. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Running sums of the epoch's metrics, float64. */
  readonly sums: readonly number[];
  /** One report for each finished epoch. */
  readonly epochs: readonly EpochReport[];
}
