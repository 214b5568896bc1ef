/** @file What calibration needs to know of many samples, in flat arrays: how sure each early exit is, and whether its answer is right.
 *  Every rule is brought to one form: an early exit fires when its score reaches the threshold's score. Patience's score is how many exits in
 *  a row agree. Must agree with `route`; a property test says so. */

import type { Logits } from "../../core/logits.js";
import { NEVER_FIRES, type Policy, type Rule, uniformPolicy } from "../../schema/policy.js";
import { RULE_DEFS } from "../route/policy.js";
import { type Routed, readingOf, routeReadings } from "../route/route.js";

/** Logits of every exit on labelled samples. */
export interface Measured {
  /** Logits of all exits. */
  readonly logits: Logits;
  /** The true class of each sample, [logits.count]. */
  readonly labels: ArrayLike<number>;
}

export interface Readings {
  readonly count: number;
  /** Per early exit: how sure it is of each sample; the larger, the surer. Not finite where it never fires. */
  readonly scores: readonly Float64Array[];
  /** 1 where the answer is right: one array per early exit, and last that of the answer when none of them fires. */
  readonly right: readonly Uint8Array[];
  /** Samples that the final exit alone gets right. */
  readonly finalRight: number;
}

/** The part of a policy that is fixed before its thresholds. */
export type PolicyFrame = Pick<Policy, "rule" | "fallback" | "temperatures">;

/** Read every exit's logits once, so that many thresholds can be tried. */
export function readExits({ logits, labels }: Measured, frame: PolicyFrame): Readings {
  const [count, exits] = [labels.length, logits.exits.length];
  const scores = Array.from({ length: exits - 1 }, () => new Float64Array(count));
  const right = Array.from({ length: exits }, () => new Uint8Array(count));
  const never = { ...frame, ...uniformPolicy(frame.rule, frame.fallback, NEVER_FIRES[frame.rule], exits) };
  let finalRight = 0;
  for (let i = 0; i < count; i++) {
    const readings = logits.rows(i).map((row, exit) => readingOf(row, frame, exit));
    let run = 0;
    for (const [exit, { label, confidence }] of readings.slice(0, -1).entries()) {
      run = label === readings[exit - 1]?.label ? run + 1 : 1;
      (scores[exit] as Float64Array)[i] = frame.rule === "patience" ? run : RULE_DEFS[frame.rule].rank(confidence);
      (right[exit] as Uint8Array)[i] = Number(label === labels[i]);
    }
    (right[exits - 1] as Uint8Array)[i] = Number((routeReadings(readings, never, exits) as Routed).label === labels[i]);
    finalRight += Number(readings[exits - 1]?.label === labels[i]);
  }
  return { count, scores, right, finalRight };
}

/** A threshold as a score, and back: ranking turns the order of confidences around or leaves it. */
export const scoreOf = (rule: Rule, threshold: number): number => RULE_DEFS[rule].rank(threshold);
export const thresholdOf = (rule: Rule, score: number): number => RULE_DEFS[rule].rank(score);

/** The first exit, from `from` on, that fires for a sample; the last one when no early exit does. */
export function stopOf(readings: Pick<Readings, "scores">, bars: Float64Array, sample: number, from = 0): number {
  let exit = from;
  while (exit < bars.length && !(readings.scores[exit][sample] >= bars[exit])) exit++;
  return exit;
}
