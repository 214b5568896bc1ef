/** @file A loss that an attack ascends: graph nodes with one value per sample. */

import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";

/** Values of the model's graph that a loss can use. */
export interface LossContext {
  readonly builder: GraphBuilder;
  readonly image: ValueName;
  /** Number of classes. */
  readonly classes: number;
  /** The logits of an exit, [n,classes]. */
  readonly logits: (exit: number) => ValueName;
  /** The sample's label as one-hot floats [n, classes]. */
  readonly oneHot: () => ValueName;
  /** The class that the question or the sample aims at, as one-hot floats [n, classes]. */
  readonly targetHot: () => ValueName;
  /** The clean image, shape of `image`. */
  readonly clean: () => ValueName;
  /** The logits of an exit on the clean image, [n,classes]. */
  readonly cleanLogits: (exit: number) => ValueName;
  /** Numbers that each question gives under this name, [n, length]. */
  readonly extra: (name: string, length: number) => ValueName;
  /** The score of a gate minus its threshold, [n]. The gate is open from 0 on. Only for gates that
   * no policy forces. */
  readonly gate: (gate: number) => ValueName;
  /** The logits of the final exit with every gate open that no policy forces closed,
   * [n,classes]. */
  readonly full: () => ValueName;
  /** Standard deviation per channel of the model's normalisation. Ones when the model does not
   * state it. */
  readonly std: readonly number[];
}

/** A differentiable loss per sample. Attacks ascend it. */
export interface Loss {
  /** Names the loss. The evaluator keeps one session per key. */
  readonly key: string;
  /** Exits whose logits the evaluation returns. Only the nodes that these exits and the loss need
   * are run. */
  readonly exits: readonly number[];
  /** Whether the evaluation also returns the logits of {@link LossContext.full}. */
  readonly full?: boolean | undefined;
  /** A second loss, [n]: the gradient is adjusted against its gradient, layer by layer. */
  readonly against?: ((ctx: LossContext) => ValueName) | undefined;
  /** Returns a value of shape [n]. */
  readonly build: (ctx: LossContext) => ValueName;
}
