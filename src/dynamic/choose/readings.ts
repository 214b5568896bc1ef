/** @file Readings of many samples in flat arrays, for calibration: the confidence of each early
 *  exit, and whether its answer is right. All rules have one form: an early exit fires when its
 *  score reaches the threshold's score. The score of patience is the number of exits in a row that
 *  agree. The results must equal those of `route`, and a property test checks it. */

import type { Logits } from "../../core/logits.js";
import { NEVER_FIRES, type Policy, type Rule, uniformPolicy } from "../../schema/policy.js";
import { RULE_DEFS } from "../route/policy.js";
import { bitOf, type Routed, readingOf, routeReadings } from "../route/route.js";

/** Logits of every exit on labelled samples. */
export interface Measured {
  /** Logits of all exits. */
  readonly logits: Logits;
  /** The true class of each sample, [logits.count]. */
  readonly labels: ArrayLike<number>;
}

export interface Readings {
  readonly count: number;
  /** Per early exit: the score of each sample. A larger score means more confidence. Not finite
   * where the exit never fires. */
  readonly scores: readonly Float64Array[];
  /** 1 where the answer is right. One array per early exit. The last array is for the answer when
   * no early exit fires. */
  readonly right: readonly Uint8Array[];
  /** The gates, with the samples that close them. */
  readonly gates: readonly GateReadings[];
  /** Number of samples that the final exit alone answers right. */
  readonly finalRight: number;
}

/** Which samples close a gate. */
export interface GateReadings {
  /** 1 where the gate is closed. */
  readonly closed: Uint8Array;
  /** The first exit behind the gate. */
  readonly exit: number;
}

/** The parts of a policy that are known before its thresholds. */
export type PolicyFrame = Pick<Policy, "rule" | "fallback" | "temperatures">;

/** Reads the logits of every exit once, so that a search can try many thresholds. */
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
  const gates = logits.gates.map((gate) => ({
    closed: Uint8Array.from(gate.scores.subarray(0, count), (score) => 1 - bitOf(score, gate.threshold)),
    exit: gate.exit,
  }));
  return { count, scores, right, gates, finalRight };
}

/** Converts a threshold into a score, and a score into a threshold. The rank of a rule keeps or
 * reverses the order of confidences. */
export const scoreOf = (rule: Rule, threshold: number): number => RULE_DEFS[rule].rank(threshold);
export const thresholdOf = (rule: Rule, score: number): number => RULE_DEFS[rule].rank(score);

/** The first exit, from `from` on, that fires for a sample. The last exit when no early exit
 * fires. */
export function stopOf(readings: Pick<Readings, "scores">, bars: Float64Array, sample: number, from = 0): number {
  let exit = from;
  while (exit < bars.length && !(readings.scores[exit][sample] >= bars[exit])) exit++;
  return exit;
}
