/** @file What the mechanisms of gates share. A gate is a small network that scores, for each
 *  sample, whether a residual block runs: it runs where the score is at least 0. Weights start so
 *  that all blocks run. The names of a gate's parameters have `.gate.` in them. */
import { filled, gaussian } from "../init.js";
import { type Feature, flatten, globalPool, type LinearOptions, type Scope } from "../layers.js";

/** What all gates of a network share. */
export interface GateContext {
  /** The top scope. */
  readonly at: Scope;
  /** The image that the backbone's first convolution reads, [c,h,w]. */
  readonly image: Feature;
  /** Number of gates. */
  readonly count: number;
}

/** Appends the score of one gate, float32 [n,1].
 * @param at the gate's scope, e.g. stage1.block1.gate
 * @param x input of the gate's block, [c,h,w] */
export type ScoreOf = (at: Scope, x: Feature) => Feature;

/** Prepares the scores of all gates. They are appended in the order of their blocks. */
export type GateMechanism = (context: GateContext) => ScoreOf;

/** First values of a layer whose result is a score: sigmoid(2) is 0.88. */
export const OPEN = { weight: gaussian(0.001), bias: filled(2) } as const satisfies LinearOptions;

/** Mean over the image: [c,h,w] -> [c]. */
export const averaged = (at: Scope, x: Feature): Feature => flatten(at, "flat", globalPool(at, "pooled", x));
