/** @file Choosing one threshold on a validation split (method.md section 2): never with labels at exit time, never on the
 *  split that is reported. `rad`: cheapest with accuracy >= (1 - RAD) x final accuracy. `budget`: best accuracy at mean cost
 *  <= B. Sources: Kaya et al. 2019; Hong et al. 2021 (RAD). */
import { DynnError } from "../core/errors.js";
import { argmax, type Fallback, RULE_DEFS, type Rule, uniformPolicy } from "./policy.js";
import { type Reading, type Routed, readingOf, routeReadings, rowsOf } from "./route.js";

export type Target =
  | { readonly kind: "rad"; readonly loss: number }
  | { readonly kind: "budget"; readonly cost: number };

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

/** Room for rounding when a mean meets its limit exactly. */
const SLACK = 1e-12;

/** Accuracy and cost at every candidate threshold, the last being "never leave early".
 * @param costFractions cumulative cost of each exit as a fraction of the full cost */
export function operatingPoints(
  rule: Rule,
  fallback: Fallback,
  { logits, labels, classes }: ValidationLogits,
  costFractions: readonly number[],
): OperatingPoint[] {
  const exits = logits.length;
  const samples = Array.from(labels, (_, i) =>
    rowsOf(logits, classes, i).map((row, exit) => readingOf(row, { rule }, exit)),
  );
  return candidates(rule, samples, exits).map((threshold) => {
    const policy = uniformPolicy(rule, fallback, threshold, exits);
    const routed = samples.map((readings) => routeReadings(readings, policy, exits) as Routed);
    const right = routed.filter((r, i) => r.label === labels[i]).length;
    const cost = routed.reduce((sum, r) => sum + (costFractions[r.stop] as number), 0);
    return { threshold, accuracy: right / routed.length, cost: cost / routed.length };
  });
}

function candidates(rule: Rule, samples: readonly (readonly Reading[])[], exits: number): number[] {
  const { never } = RULE_DEFS[rule];
  if (rule === "patience") return [...Array.from({ length: exits - 1 }, (_, i) => i + 1), never];
  const seen = samples.flatMap((readings) => readings.slice(0, -1).map((r) => r.confidence));
  const sorted = [...new Set(seen)].sort((a, b) => a - b);
  const count = Math.min(CANDIDATES, sorted.length);
  const spread = Array.from({ length: count }, (_, i) => sorted[Math.floor((i * sorted.length) / count)] as number);
  return [...spread, never];
}

/** Choose the operating point for a target.
 * @throws DynnError 'policy/validation' when no threshold meets it, or the split is empty */
export function calibrate(
  rule: Rule,
  fallback: Fallback,
  target: Target,
  validation: ValidationLogits,
  costFractions: readonly number[],
): OperatingPoint {
  if (validation.labels.length === 0)
    throw new DynnError(
      "policy/validation",
      "calibration: the validation split is empty. Report fewer samples, or give a split with --validation.",
    );
  const points = operatingPoints(rule, fallback, validation, costFractions);
  const chosen =
    target.kind === "rad" ? cheapest(points, (1 - target.loss) * finalAccuracy(validation)) : best(points, target.cost);
  if (chosen) return chosen;
  throw unreachable(rule, target, points);
}

function unreachable(rule: Rule, target: Target, points: readonly OperatingPoint[]): DynnError {
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  if (target.kind === "budget")
    return new DynnError(
      "policy/validation",
      `calibration: no threshold of rule ${rule} keeps the mean cost at ${percent(target.cost)} of the full network; the first exit alone costs ${percent(Math.min(...points.map((p) => p.cost)))}. Allow a larger budget.`,
      { target },
    );
  return new DynnError(
    "policy/validation",
    `calibration: no threshold of rule ${rule} keeps ${percent(1 - target.loss)} of the final exit's accuracy; the best reaches ${percent(Math.max(...points.map((p) => p.accuracy)))} accuracy. Allow a larger loss, or use --fallback final.`,
    { target },
  );
}

/** The cheapest point of at least this accuracy; among equals the most accurate. */
const cheapest = (points: readonly OperatingPoint[], accuracy: number): OperatingPoint | undefined =>
  points.filter((p) => p.accuracy >= accuracy - SLACK).sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy)[0];

/** The most accurate point of at most this cost; among equals the cheapest. */
const best = (points: readonly OperatingPoint[], cost: number): OperatingPoint | undefined =>
  points.filter((p) => p.cost <= cost + SLACK).sort((a, b) => b.accuracy - a.accuracy || a.cost - b.cost)[0];

function finalAccuracy({ logits, labels, classes }: ValidationLogits): number {
  const final = logits.slice(-1);
  const right = Array.from(labels).filter((label, i) => argmax(rowsOf(final, classes, i)[0] as Float32Array) === label);
  return right.length / labels.length;
}
