/** @file What the gates of a network did, in sentences, for the report and the terminal.
 *  Strengths of a correlation have the names of Cohen 1988.
 *  Read by: report, cli. */
import { DYNAMIC_RATES, isDynamic } from "../../measures/gates.js";
import type { AuditRecord } from "../../schema/audit-record.js";
import type { DifficultyRecord, GateBaseline, SkippingRecord } from "../../schema/skipping.js";
import * as write from "../shared/format.js";

/** A measure and what it says. */
export type Said = readonly [measure: string, words: string];

/** All measures in words. Empty for a network without gates. */
export function skippingWords({ model: { gates = [] }, clean }: AuditRecord): Said[] {
  const { skipping, routed } = clean;
  if (skipping === undefined) return [];
  const rates = routed.paths?.openRates ?? [];
  return [
    ["blocks", blocksWords(skipping, gates.length)],
    ["gates that decide", decidingWords(rates.filter(isDynamic).length, gates.length)],
    ["paths", pathsWords(routed.paths?.distinct ?? 0, skipping.pathEntropy)],
    ...skipping.difficulty.map((one): Said => [`difficulty, ${one.reference}`, difficultyWords(one, routed.accuracy)]),
    ["right and wrong answers", answersWords(skipping.answers)],
    ...(skipping.baselines?.compared ?? []).map((one): Said => [BASELINES[one.kind], baselineWords(one)]),
  ];
}

const blocksWords = ({ executed: { mean, sd, p95 } }: SkippingRecord, gates: number): string =>
  `A sample runs ${mean.toFixed(1)} of ${gates} blocks with a gate (standard deviation ${sd.toFixed(1)}); 95 % run at most ${Number(p95.toFixed(1))}.`;

const [LOW, HIGH] = DYNAMIC_RATES.map(write.wholePercent);

function decidingWords(deciding: number, gates: number): string {
  const rest = `open for ${LOW} to ${HIGH} of the samples`;
  if (deciding === 0)
    return `None of ${gates} is ${rest}. All inputs run nearly the same blocks, as in a smaller static network.`;
  const own = deciding === gates ? `All ${gates} are` : `${deciding} of ${gates} ${deciding === 1 ? "is" : "are"}`;
  return `${own} ${rest}.${deciding < gates ? " The others are nearly always open or nearly always closed." : ""}`;
}

const pathsWords = (distinct: number, entropy: number): string =>
  `${distinct} different ${distinct === 1 ? "path" : "paths"}, entropy ${entropy.toFixed(1)} bits.`;

function difficultyWords({ reference, accuracy, margin, crossEntropy }: DifficultyRecord, routed: number): string {
  const doubt =
    accuracy.high < routed
      ? ` With ${reference} the answers are right on ${write.percent(accuracy.value)} alone, less than routed, so this difficulty says little.`
      : "";
  return `By the margin: ${relationWords(margin)}. By the cross-entropy: ${relationWords(crossEntropy)}.${doubt}`;
}

/** A rank correlation of cost with difficulty in words. */
export function relationWords(relation: DifficultyRecord["margin"]): string {
  if (relation === null) return "no relation, because one of both does not vary";
  const { value, low, high } = relation;
  const figures = `Spearman ${signed(value)}, ${signed(low)} to ${signed(high)}`;
  if (low <= 0 && high >= 0) return `no relation shown (${figures})`;
  const size = Math.abs(value);
  const strength = size < 0.1 ? "negligibly" : size < 0.3 ? "weakly" : size < 0.5 ? "moderately" : "strongly";
  return `difficult samples cost ${strength} ${value > 0 ? "more" : "less"} (${figures})`;
}

const signed = (value: number, digits = 2): string => value.toFixed(digits).replace("-", "−");
const points = (share: number): string => signed(100 * share, 1);

function answersWords({ right, wrong, difference }: SkippingRecord["answers"]): string {
  if (right === null || wrong === null) return `All answers are ${right === null ? "wrong" : "right"}.`;
  const means = `Wrong answers cost ${write.percent(wrong)}, right ones ${write.percent(right)}`;
  if (difference === null) return `${means}. There are too few of either for an interval.`;
  const { value, low, high } = difference;
  const figures = `${points(value)} points, ${points(low)} to ${points(high)}`;
  return low <= 0 && high >= 0 ? `${means}: no difference shown (${figures}).` : `${means} (difference ${figures}).`;
}

/** What readers call a baseline. */
export const BASELINES = {
  "fixed-blocks": "fixed blocks, closed one by one",
  "most-open-blocks": "fixed blocks, the most open",
  "random-gates": "random gates",
  static: "static network",
} as const satisfies Record<GateBaseline["kind"], string>;

/** The fixed blocks that are right more often on the reported samples: the harder test of the
 * gates. */
export const bestFixed = (compared: readonly GateBaseline[]): GateBaseline | undefined =>
  compared
    .filter(({ kind }) => kind === "fixed-blocks" || kind === "most-open-blocks")
    .sort((a, b) => b.accuracy.value - a.accuracy.value)[0];

/** P values from here on show no difference. */
const LEVEL = 0.05;

/** The gated network against a baseline. */
export function baselineWords({ accuracy, meanCostFraction, gain: { value, low, high }, p }: GateBaseline): string {
  const figures = `${points(value)} points, ${points(low)} to ${points(high)}; McNemar p ${showP(p)}`;
  const verdict = p >= LEVEL ? "no gain shown" : value > 0 ? "the gates gain" : "the gates lose";
  return `${write.percent(accuracy.value)} right at ${write.percent(meanCostFraction)} of the cost: ${verdict} (${figures}).`;
}

export const showP = (p: number): string => (p < 0.0001 ? "below 0.0001" : p.toFixed(4));
