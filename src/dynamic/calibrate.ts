/** @file Choosing one threshold on a validation split (method.md section 2): never with labels at exit time, never on the
 *  split that is reported. `rad`: cheapest with accuracy >= (1 - RAD) x final accuracy. `budget`: best accuracy at mean cost
 *  <= B. Sources: Kaya et al. 2019; Hong et al. 2021 (RAD). */
import { DynnError } from "../core/errors.js";
import { argmax, type Fallback, type Policy, type Rule, RULE_DEFS, softmaxRow } from "./policy.js";
import { route } from "./route.js";

export type Target = { readonly kind: "rad"; readonly loss: number } | { readonly kind: "budget"; readonly cost: number };

export interface ValidationLogits {
  /** One array [n * classes] per exit. */
  readonly logits: readonly Float32Array[];
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

export interface OperatingPoint {
  readonly threshold: number;
  readonly accuracy: number;
  /** Mean cost as a fraction of the full network's. */
  readonly cost: number;
}

/** At most this many thresholds are tried, evenly spread over the confidences seen. */
const CANDIDATES = 500;

/** Accuracy and cost at every candidate threshold, the last being "never leave early".
 * @param costFractions cumulative cost of each exit as a fraction of the full cost */
export function operatingPoints(rule: Rule, fallback: Fallback, validation: ValidationLogits, costFractions: readonly number[]): OperatingPoint[] {
  const early = validation.logits.length - 1;
  return candidates(rule, validation).map((threshold) => {
    const policy: Policy = { rule, fallback, thresholds: new Array<number>(rule === "patience" ? 1 : early).fill(threshold) };
    const routed = route(validation.logits, validation.classes, policy);
    const right = routed.filter((r, i) => r.label === validation.labels[i]).length;
    const cost = routed.reduce((sum, r) => sum + (costFractions[r.stop] as number), 0);
    return { threshold, accuracy: right / routed.length, cost: cost / routed.length };
  });
}

function candidates(rule: Rule, { logits, classes }: ValidationLogits): number[] {
  const def = RULE_DEFS[rule];
  if (rule === "patience") return [...logits.map((_, i) => i + 1), def.never];
  const seen = logits.slice(0, -1).flatMap((l) => Array.from({ length: l.length / classes }, (_, i) => def.confidence(softmaxRow(l.subarray(i * classes, (i + 1) * classes)))));
  const sorted = [...new Set(seen)].sort((a, b) => a - b);
  const step = Math.max(1, sorted.length / CANDIDATES);
  const spread = Array.from({ length: Math.ceil(sorted.length / step) }, (_, i) => sorted[Math.floor(i * step)] as number);
  return [...spread, def.never];
}

/** Choose the operating point for a target.
 * @throws DynnError 'policy/validation' when no threshold meets it, or the split is empty */
export function calibrate(rule: Rule, fallback: Fallback, target: Target, validation: ValidationLogits, costFractions: readonly number[]): OperatingPoint {
  if (validation.labels.length === 0) throw new DynnError("policy/validation", "calibration: the validation split is empty. Report fewer samples, or give a split with --validation.");
  const points = operatingPoints(rule, fallback, validation, costFractions);
  const chosen = target.kind === "rad" ? cheapest(points, (1 - target.loss) * finalAccuracy(validation)) : best(points, target.cost);
  if (chosen) return chosen;
  throw unreachable(rule, target, points);
}

function unreachable(rule: Rule, target: Target, points: readonly OperatingPoint[]): DynnError {
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  if (target.kind === "budget") return new DynnError("policy/validation", `calibration: no threshold of rule ${rule} keeps the mean cost at ${percent(target.cost)} of the full network; the first exit alone costs ${percent(Math.min(...points.map((p) => p.cost)))}. Allow a larger budget.`, { target });
  return new DynnError("policy/validation", `calibration: no threshold of rule ${rule} keeps ${percent(1 - target.loss)} of the final exit's accuracy; the best reaches ${percent(Math.max(...points.map((p) => p.accuracy)))} accuracy. Allow a larger loss, or use --fallback final.`, { target });
}

const cheapest = (points: readonly OperatingPoint[], accuracy: number): OperatingPoint | undefined =>
  points.filter((p) => p.accuracy >= accuracy).reduce<OperatingPoint | undefined>((a, p) => (a && a.cost <= p.cost ? a : p), undefined);

const best = (points: readonly OperatingPoint[], cost: number): OperatingPoint | undefined =>
  points.filter((p) => p.cost <= cost).reduce<OperatingPoint | undefined>((a, p) => (a && a.accuracy >= p.accuracy ? a : p), undefined);

function finalAccuracy({ logits, labels, classes }: ValidationLogits): number {
  const final = logits.at(-1) as Float32Array;
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (argmax(final.subarray(i * classes, (i + 1) * classes)) === labels[i]) right++;
  return right / labels.length;
}
