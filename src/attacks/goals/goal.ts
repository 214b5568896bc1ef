/** @file The goal of an attack: what counts as success, which samples count, and which losses lead
 *  towards it. A goal does not know the method that searches for it. */

import type { Loss } from "../losses/loss.js";
import type { ExitLoss, LossForm } from "../losses/table.js";
import type { Parameters, Values } from "../parameters.js";
import type { Evaluation } from "../question.js";
import type { ExitLogits, Sample, Seen } from "../sample.js";
import type { Victim } from "./victim.js";

/** A goal for one model under one policy. */
export interface Goal {
  /** How records name the goal. */
  readonly name: string;
  /** The losses that can be ascended. */
  readonly losses: readonly Loss[];
  /** The answer that a user sees: that of one exit, or the routed answer. */
  readonly answer: number | "routed";
  /** Exits whose logits `succeeded` needs. */
  readonly exits: readonly number[];
  /** The label that the losses use: the true label, or the model's own label. */
  readonly label: (sample: Sample) => number;
  /** The class that a targeted attack aims at. Undefined for an untargeted one. */
  readonly target?: ((sample: Sample, seed: number) => number) | undefined;
  /** The losses to start from. Each gets a run. */
  readonly starts: (sample: Sample) => readonly number[];
  /** The loss of an iterate with these logits, where the loss depends on the iterate. */
  readonly follow?: (logits: ExitLogits, at: number) => number;
  /** Whether an image for which the network gives this meets the goal. */
  readonly succeeded: (sample: Sample, seen: Seen) => boolean;
  /** Whether the attack also runs on, and counts, samples whose clean image succeeds already. */
  readonly everySampleEligible?: boolean;
  /** Forms of the loss that do not depend on the scale of logits, in the order in which they are
   * tried. Their gradients do not vanish where the softmax is saturated. Undefined when the goal
   * has no such losses. */
  readonly scaleFree?: readonly LossForm[] | undefined;
  /** Easier goals on the way to this one, from the easiest on. The one at place k is met where the
   * network runs beyond exit k. Undefined when there are none. */
  readonly towards?: readonly Goal[] | undefined;
  /** Ranks iterates of equal success. Larger is better. The default is the loss itself. */
  readonly score?: (sample: Sample, evaluation: Evaluation) => number;
}

/** What a goal is made from. */
export interface GoalContext {
  readonly victim: Victim;
  /** The loss of one exit, for goals that take one. */
  readonly loss: ExitLoss;
  /** The class to aim at, for targeted goals. */
  readonly target: Goal["target"];
  /** The word after the colon of the name: an exit. */
  readonly at: string | undefined;
}

/** What a network must have for an attack: early exits, gates, or one of both. */
export type Need = "early exits" | "early exits or gates" | "gates";

/** Whether a network with so many early exits and gates has it. */
export const has = (need: Need | undefined, earlyExits: number, gates: number): boolean =>
  need === undefined || (need === "early exits" ? earlyExits : need === "gates" ? gates : earlyExits + gates) > 0;

/** One entry of the table of goals. */
export interface GoalDef<P extends Parameters = Parameters> {
  /** What the attack makes of the network, after "the attack makes". */
  readonly about: string;
  /** What counts as success. */
  readonly success: string;
  readonly source: string;
  /** What the network must have. Undefined: nothing. */
  readonly needs?: Need | undefined;
  /** Whether it reads the logits of the full network, which has every gate open. */
  readonly readsFull?: boolean | undefined;
  /** Whether it takes any loss of one exit. The others have a loss of their own. */
  readonly takesLoss: boolean;
  /** Whether it has a targeted form. */
  readonly targeted: boolean;
  readonly parameters: P;
  /** @throws DynnError 'attack/config', 'attack/unsupported' when the goal does not fit the
   *  model */
  readonly make: (context: GoalContext, values: Values<P>) => Goal;
}

/** Types a goal by its parameters. */
export const goal = <P extends Parameters>(def: GoalDef<P>): GoalDef => def as unknown as GoalDef;
