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
  /** Returns a value of shape [n]. */
  readonly build: (ctx: LossContext) => ValueName;
}
