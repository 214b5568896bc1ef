/** @file What an attack is made of: a sample, an objective, an optimizer, a budget.
 *  An optimizer is a generator for one sample: it yields the image it wants evaluated and is resumed with loss, gradient and
 *  logits. The runner gathers the requests of many samples into batches, so an attack reads like its paper, and a finished
 *  sample leaves the batch by returning. */

import type { Images } from "../core/images.js";
import type { Logits } from "../core/logits.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import type { Budget } from "../perturb/norms.js";

/** One clean image with what the model says of it. */
export interface Sample {
  /** Record number in its data set: random numbers depend on it, never on batch order. */
  readonly id: number;
  /** float32 [c*h*w] in [0,1]. */
  readonly pixels: Float32Array;
  /** The true class. */
  readonly label: number;
  /** Logits of every exit on the clean image. */
  readonly clean: readonly Float32Array[];
}

/** Images with their labels and what the model says of them, as samples: numbered from 0, views into
 * the arrays, no copies.
 * @param labels the true class of each image; images beyond the last label are left out */
export const samplesOf = ({
  images,
  labels,
  logits,
}: {
  readonly images: Images;
  readonly labels: ArrayLike<number>;
  readonly logits: Logits;
}): Sample[] => Array.from(labels, (label, id) => ({ id, label, pixels: images.row(id), clean: logits.rows(id) }));

/** Logits per exit; exits that a loss does not compute are undefined. */
export type ExitLogits = readonly (Float32Array | undefined)[];

/** What an evaluation returns. The arrays are views into a whole batch: keep copies, not views, of what is to last. */
export interface Evaluation {
  /** The loss that the attack ascends. */
  readonly loss: number;
  /** d loss / d image, [c*h*w]; empty when not asked for. */
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

/** What a loss may build on, inside the model's graph. */
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
  /** Standard deviation per channel of the model's normalisation; ones when it is not known. */
  readonly std: readonly number[];
}

/** A differentiable loss per sample, to be ascended. */
export interface Loss {
  /** Names the loss; sessions are kept by it. */
  readonly key: string;
  /** Exits whose logits come back with it; only what they and the loss need is run. */
  readonly exits: readonly number[];
  /** Returns a value of shape [n]. */
  readonly build: (ctx: LossContext) => ValueName;
}

/** What an attack wants to reach, and the losses that lead there. */
export interface Objective {
  /** How records name the objective. */
  readonly name: string;
  /** The losses that can be ascended. */
  readonly losses: readonly Loss[];
  /** Whose label a user would see judged: an exit, or the routed answer. */
  readonly answer: number | "routed";
  /** The label that the losses are about: the true one, or the model's own. */
  readonly label: (sample: Sample) => number;
  /** The losses to start from, one run each. */
  readonly starts: (sample: Sample) => readonly number[];
  /** The loss that belongs to an iterate with these logits, when that depends on the iterate. */
  readonly follow?: (logits: ExitLogits, at: number) => number;
  /** Whether an image with these logits meets the objective. */
  readonly succeeded: (sample: Sample, logits: ExitLogits) => boolean;
  /** Whether samples that succeed already when clean are attacked all the same and counted. */
  readonly everySampleEligible?: boolean;
  /** The same aim with losses on margins between logits. A gradient of theirs does not vanish where the softmax is saturated. Left out: there
   *  are none. */
  readonly onMargins?: Objective;
  /** Ranks iterates of equal success; larger is better. Left out: the loss itself. */
  readonly score?: (sample: Sample, evaluation: Evaluation) => number;
}

/** One sample's attack, as its optimizer sees it. */
export interface Task {
  /** The sample to attack. */
  readonly sample: Sample;
  /** What to reach. */
  readonly objective: Objective;
  /** How far the image may go. */
  readonly budget: Budget;
  /** Decides the random numbers. */
  readonly seed: number;
}

/** The best image found. */
export interface FoundImage {
  /** The image, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** Whether it meets the objective. */
  readonly success: boolean;
}

/** One attack on one sample: it yields queries, receives evaluations, and returns the best
 *  image. */
export type AttackRun = Generator<Query, FoundImage, Evaluation>;

/** An optimizer with its parameters fixed. */
export interface Optimizer {
  /** How records name the optimizer. */
  readonly name: string;
  /** Whether a sample is attacked once more on margins after a gradient has vanished. */
  readonly retriesVanished?: boolean;
  /** Attack one sample. The generator yields images and receives their evaluations. */
  readonly run: (task: Task) => AttackRun;
}

/** An evaluation and the loss it belongs to. */
export interface Followed extends Evaluation {
  /** Index of the loss in the objective's list. */
  readonly at: number;
}

/** Evaluate an image under the loss that belongs to it: re-asks where the objective says that another one does.
 *  Two prefixes may disagree in the last bit at a threshold's edge, so the number of questions is bounded. */
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
