/** @file Does an export answer as the model does? Labels and exits must be equal, logits within a tolerance. Where the model's own decision
 *  hangs on less than the rounding that was seen (a close call), another outcome is counted and reported, and is no failure. */
import { DynnError } from "../core/errors.js";
import type { Logits } from "../core/logits.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { RULE_DEFS } from "../dynamic/route/policy.js";
import { type Routed, readingOf, route } from "../dynamic/route/route.js";
import type { Policy } from "../schema/policy.js";

/** Logits may differ by this much of the largest logit of the row (of 1, where all are smaller): float32 sums in another order. */
export const TOLERANCE = 1e-4;

/** Differences below this are rounding, whether or not any were seen (eight steps of float32). */
const ROUNDING = 2 ** -20;

/** What was found for one image. */
export interface FoundAnswer {
  /** Exit where the work stopped. */
  readonly stop: number;
  /** The class that is answered. */
  readonly label: number;
  /** Of the exit that answers. */
  readonly logits: Float32Array;
  /** Of every exit, where the export gives them: each must be the model's. */
  readonly all?: readonly Float32Array[] | undefined;
}

/** How an export compares with its model on some images. */
export interface Verification {
  /** Images that both were run on. */
  readonly samples: number;
  /** See {@link TOLERANCE}. */
  readonly tolerance: number;
  /** The largest difference of two logits, in shares of the row's largest. */
  readonly largestDifference: number;
  /** Images on which the model's decision hangs on no more than rounding, */
  readonly closeCalls: number;
  /** and how many of these came out otherwise. */
  readonly changed: number;
  /** Images that stopped at each exit of the model. */
  readonly stops: readonly number[];
}

/** Compare an export with the model.
 * @param logits the model's
 * @param found  the export's answers, in the same order
 * @throws DynnError 'export/mismatch' naming the first image on which they differ */
export function verify(
  model: Pick<DynamicModel, "name" | "exits">,
  policy: Policy,
  logits: Logits,
  found: readonly FoundAnswer[],
): Verification {
  const routed = route(logits, policy);
  const rows = routed.map((_, i) => logits.rows(i));
  const differences = found.map((f, i) => differenceOf(f, routed[i], rows[i]));
  const allowed = differences.filter((d) => d <= TOLERANCE);
  const rounding = Math.max(ROUNDING, ...allowed);
  const close = rows.map((row, i) => slackOf(row, policy, routed[i]) <= rounding);
  const wrong = differences.findIndex((d, i) => !(d <= TOLERANCE) && !close[i]);
  if (wrong >= 0) throw mismatch(model, wrong, found[wrong], routed[wrong], differences[wrong]);
  return {
    samples: found.length,
    tolerance: TOLERANCE,
    largestDifference: Math.max(0, ...allowed),
    closeCalls: close.filter(Boolean).length,
    changed: differences.length - allowed.length,
    stops: model.exits.map((_, exit) => routed.filter((r) => r.stop === exit).length),
  };
}

/** The largest difference of the logits, infinite where label or exit differ. */
function differenceOf(
  { stop, label, logits, all }: FoundAnswer,
  routed: Routed,
  rows: readonly Float32Array[],
): number {
  if (stop !== routed.stop || label !== routed.label) return Number.POSITIVE_INFINITY;
  if (!all) return relativeDifference(logits, rows[routed.answer]);
  return Math.max(...rows.map((row, exit) => relativeDifference(all[exit], row)));
}

const sizeOfRow = (row: Float32Array): number => row.reduce((size, v) => Math.max(size, Math.abs(v)), 1);

/** The largest difference of two rows, in shares of the largest of `b`; equal infinities and two NaN do not differ. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  const size = sizeOfRow(b);
  return b.reduce((most, v, i) => (Object.is(a[i], v) ? most : Math.max(most, Math.abs(a[i] - v) / size)), 0);
}

/** By how much, in shares of their largest, logits would have to change for the routing to decide otherwise. A confidence moves by at
 *  most max(1, 2 ln classes) / temperature times the change of the logits; a difference of two logits by twice that change. */
function slackOf(rows: readonly Float32Array[], policy: Policy, { stop, answer }: Routed): number {
  const { rule, fallback, thresholds, temperatures } = policy;
  const last = rows.length - 1;
  const seen = rows.slice(0, stop + 1);
  const confidences = seen.map((row, exit) => readingOf(row, policy, exit).confidence);
  const steepness = Math.max(1, 2 * Math.log(rows[0]?.length ?? 2)) / Math.min(1, ...(temperatures ?? []));
  const labels = rule === "patience" ? seen : [rows[answer]];
  const distances = labels.map(gapOf);
  if (rule !== "patience")
    confidences.slice(0, last).forEach((c, exit) => {
      distances.push(Math.abs(c - thresholds[exit]) / steepness);
    });
  if (fallback === "most-confident" && stop === last) {
    const ranks = Float32Array.from(confidences, RULE_DEFS[rule].rank);
    distances.push(gapOf(ranks) / steepness);
  }
  return Math.min(...distances) / Math.max(...seen.map(sizeOfRow));
}

/** Half the distance of the two largest. */
function gapOf(values: Float32Array): number {
  const [first = 0, second = Number.NEGATIVE_INFINITY] = [...values].sort((a, b) => b - a);
  return (first - second) / 2;
}

function mismatch(
  { name, exits }: Pick<DynamicModel, "name" | "exits">,
  image: number,
  found: FoundAnswer,
  routed: Routed,
  difference: number,
): DynnError {
  const said = ({ stop, label }: Pick<Routed, "stop" | "label">) => `class ${label} at ${exits[stop]?.name ?? stop}`;
  const what = Number.isFinite(difference)
    ? `its logits differ by ${difference.toExponential(1)} of the largest, expected at most ${TOLERANCE}`
    : `got ${said(found)}, expected ${said(routed)}`;
  return new DynnError(
    "export/mismatch",
    `${name}: the export does not answer as the model does on image ${image}: ${what}. Nothing was written. Please report this with the model.`,
    { image, found: { stop: found.stop, label: found.label }, expected: routed },
  );
}
