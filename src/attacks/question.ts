/** @file The conversation of a search with an oracle. A search is a generator: it yields questions
 *  and receives a reply to each. The runner gathers the questions of many samples into batches.
 *  Hence the code of a method reads like its paper. A finished sample returns and so leaves the
 *  batch. */

import type { Surrogate } from "../autodiff/gates.js";
import type { Loss } from "./losses/loss.js";
import type { ExitLogits, Sample, Seen } from "./sample.js";

/** What an attacker can see of a model, from much to little.
 * - gradient: the loss, its gradient and all logits.
 * - scores: the loss, which is a function of the scores that the goal is about.
 * - label: whether the goal is met.
 * - cost: whether the goal is met, and the cost and the confidence of the routed answer. */
export const ACCESS = ["gradient", "scores", "label", "cost"] as const;
export type Access = (typeof ACCESS)[number];

/** The parts of a goal that say what a reply means. */
export interface Judge {
  readonly losses: readonly Loss[];
  /** Exits whose logits `succeeded` needs. */
  readonly exits: readonly number[];
  readonly follow?: (logits: ExitLogits, at: number) => number;
  readonly succeeded: (sample: Sample, seen: Seen) => boolean;
  /** Defined where the loss depends on the scale of logits. */
  readonly scaleFree?: unknown;
}

/** A question about one image, with full access. */
export interface Question {
  /** The image to evaluate, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** The loss to evaluate. */
  readonly loss: Loss;
  /** Whether the gradient is wanted too. */
  readonly gradient: boolean;
  /** The class that the loss aims at. The default is the target of the sample. */
  readonly target?: number | undefined;
  /** Classes that the loss aims at, one after the other, in place of `target`. The reply holds the
   * loss and the gradient of each. They share one forward pass. */
  readonly targets?: readonly number[] | undefined;
  /** Numbers for the loss, by the names that the loss gives them. */
  readonly extra?: Readonly<Record<string, Float32Array>> | undefined;
  /** The sample of the image, in a search over many samples. */
  readonly sample?: Sample | undefined;
  /** False for an image that cannot be the result, such as one outside the ball. The account of the
   * work then takes no success from it. */
  readonly candidate?: boolean | undefined;
  /** How the gradient passes gates. The default is straight through. The loss, the logits and the
   * bits of the reply are always those of hard gates. */
  readonly through?: Surrogate | undefined;
  /** What the loss belongs to. The default is the goal of the search. */
  readonly goal?: Judge | undefined;
}

/** A loss and its gradient. */
export interface Slope {
  readonly loss: number;
  /** d loss / d image, [c*h*w]. */
  readonly gradient: Float32Array;
}

/** The reply to a question. The arrays are views into a whole batch, so copy an array before you
 * keep it. */
export interface Evaluation extends Seen {
  /** The loss that the attack ascends. */
  readonly loss: number;
  /** d loss / d image, [c*h*w]. Empty when the question did not want a gradient. */
  readonly gradient: Float32Array;
  /** The loss and the gradient of each of `targets`. `loss` and `gradient` are those of the
   * first. */
  readonly each?: readonly Slope[];
}

/** The best image found. */
export interface FoundImage {
  /** The image, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** Whether it meets the goal. */
  readonly success: boolean;
  /** For a search that ran once with each surrogate of hard gates: whether each run succeeded, in
   * the order hard, straight through, soft. */
  readonly reached?: readonly boolean[] | undefined;
}

/** A search with full access. It yields questions, receives one evaluation for each, and returns
 * what it found. */
export type Search<Found = FoundImage> = Generator<readonly Question[], Found, readonly Evaluation[]>;

/** A question about one image, without a look inside the model. */
export interface Query {
  /** The image, float32 [c*h*w] in [0,1]. */
  readonly image: Float32Array;
  /** The sample of the image, in a search over many samples. */
  readonly sample?: Sample | undefined;
}

/** What each kind of query access shows. */
export interface Shown {
  readonly scores: { readonly loss: number; readonly success: boolean };
  readonly label: { readonly success: boolean };
  readonly cost: {
    readonly success: boolean;
    /** Share of the full network's MACs. */
    readonly cost: number;
    /** The confidence of the routed answer. Larger is surer, under every rule. */
    readonly confidence: number;
  };
}

/** A search that sees only what its access shows. */
export type QuerySearch<A extends keyof Shown, Found = FoundImage> = Generator<
  readonly Query[],
  Found,
  readonly Shown[A][]
>;

/** Asks one question. */
export function* ask(question: Question): Generator<readonly Question[], Evaluation, readonly Evaluation[]> {
  const [reply] = yield [question];
  return reply;
}
