/** @file The parts of an attack: a sample, an objective, an optimizer and a budget. An optimizer is
 *  a generator for one sample. It yields an image, and receives the loss, the gradient and the
 *  logits of that image. The runner gathers the requests of many samples into batches. Hence the
 *  code of an attack reads like its paper. A finished sample returns and so leaves the batch. */

import type { Images } from "../core/images.js";
import type { Logits } from "../core/logits.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import type { Budget } from "../perturb/norms.js";

/** One clean image, its label, and the logits of the model for it. */
export interface Sample {
  /** Record number in its data set. Random numbers depend on this number, never on batch order. */
  readonly id: number;
  /** float32 [c*h*w] in [0,1]. */
  readonly pixels: Float32Array;
  /** The true class. */
  readonly label: number;
  /** Logits of every exit on the clean image. */
  readonly clean: readonly Float32Array[];
}

/** Makes samples from images, their labels and the logits of the model. Samples have numbers from
 * 0. Their arrays are views, not copies.
 * @param labels the true class of each image. Images beyond the last label are left out */
export const samplesOf = ({
  images,
  labels,
  logits,
}: {
  readonly images: Images;
  readonly labels: ArrayLike<number>;
  readonly logits: Logits;
}): Sample[] => Array.from(labels, (label, id) => ({ id, label, pixels: images.row(id), clean: logits.rows(id) }));

/** Logits per exit. Undefined for exits that a loss does not compute. */
export type ExitLogits = readonly (Float32Array | undefined)[];

/** The result of an evaluation. The arrays are views into a whole batch, so copy an array before
 * you keep it. */
export interface Evaluation {
  /** The loss that the attack ascends. */
  readonly loss: number;
  /** d loss / d image, [c*h*w]. Empty when the query did not want a gradient. */
  readonly gradient: Float32Array;
  /** Logits of the exits that were run. */
  readonly logits: ExitLogits;
}

/** A request for one evaluation. */
export interface Query {
  /** The image to evaluate, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** Index into the objective's losses. */
  readonly loss: number;
  /** Whether the gradient is wanted too. */
  readonly gradient: boolean;
}

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
  /** The clean image, shape of `image`. */
  readonly clean: () => ValueName;
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

/** The goal of an attack, and the losses to ascend. */
export interface Objective {
  /** How records name the objective. */
  readonly name: string;
  /** The losses that can be ascended. */
  readonly losses: readonly Loss[];
  /** The answer that a user sees: that of one exit, or the routed answer. */
  readonly answer: number | "routed";
  /** The label that the losses use: the true label, or the model's own label. */
  readonly label: (sample: Sample) => number;
  /** The losses to start from. Each gets a run. */
  readonly starts: (sample: Sample) => readonly number[];
  /** The loss of an iterate with these logits, where the loss depends on the iterate. */
  readonly follow?: (logits: ExitLogits, at: number) => number;
  /** Whether an image with these logits meets the objective. */
  readonly succeeded: (sample: Sample, logits: ExitLogits) => boolean;
  /** Whether the attack also runs on, and counts, samples whose clean image succeeds already. */
  readonly everySampleEligible?: boolean;
  /** The same aim with losses that do not depend on the scale of logits, in the order in which they
   * are tried. Their gradients do not vanish where the softmax is saturated. Undefined when the
   * objective has no such losses. */
  readonly scaleFree?: readonly Objective[];
  /** Ranks iterates of equal success. Larger is better. The default is the loss itself. */
  readonly score?: (sample: Sample, evaluation: Evaluation) => number;
}

/** The attack on one sample: the input of an optimizer. */
export interface Task {
  /** The sample to attack. */
  readonly sample: Sample;
  /** The goal. */
  readonly objective: Objective;
  /** How far the image may move. */
  readonly budget: Budget;
  /** The seed of the random numbers. */
  readonly seed: number;
}

/** The best image found. */
export interface FoundImage {
  /** The image, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** Whether it meets the objective. */
  readonly success: boolean;
}

/** One attack on one sample. It yields queries, receives evaluations, and returns the best
 * image. */
export type AttackRun = Generator<Query, FoundImage, Evaluation>;

/** An optimizer with its parameters fixed. */
export interface Optimizer {
  /** How records name the optimizer. */
  readonly name: string;
  /** Whether a sample is attacked again with losses free of scale after a gradient has vanished. */
  readonly retriesVanished?: boolean;
  /** Attack one sample. The generator yields images and receives their evaluations. */
  readonly run: (task: Task) => AttackRun;
}

/** An evaluation and its loss. */
export interface Followed extends Evaluation {
  /** Index of the loss in the objective's list. */
  readonly at: number;
}

/** Evaluates an image under its loss. Repeats the query where the objective names another loss for
 * the new logits. Two prefixes can differ in the last bit near a threshold, so the number of
 * queries is bounded. */
export function* evaluate(
  task: Task,
  image: Float32Array,
  loss: number,
  gradient = true,
): Generator<Query, Followed, Evaluation> {
  let at = loss;
  for (let asked = 0; ; asked++) {
    const evaluation = yield { image, loss: at, gradient };
    const right = task.objective.follow?.(evaluation.logits, at) ?? at;
    if (right === at || asked > task.objective.losses.length) return { ...evaluation, at };
    at = right;
  }
}

/** The image as an 8-bit file would hold it. */
export const toEightBits = (image: Float32Array): Float32Array => image.map((v) => Math.round(v * 255) / 255);

/** Whether an iterate succeeds even after rounding to 8 bits. */
export function* survivesRounding(
  task: Task,
  image: Float32Array,
  loss: number,
): Generator<Query, boolean, Evaluation> {
  const rounded = yield* evaluate(task, toEightBits(image), loss, false);
  return task.objective.succeeded(task.sample, rounded.logits);
}
