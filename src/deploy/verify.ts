/** @file Checks that an export answers as its model does. Labels and exits must be equal, logits
 *  must agree within a tolerance.
 *  A close call is an image on which the model's decision depends on less than the observed
 *  rounding. Another outcome on a close call is counted and reported, but does not fail. */
import { DynnError } from "../core/errors.js";
import type { Logits } from "../core/logits.js";
import type { DynamicModel, GateBit } from "../dynamic/model/model.js";
import { RULE_DEFS } from "../dynamic/route/policy.js";
import { type Routed, readingOf, route } from "../dynamic/route/route.js";
import { forcedBit, type Policy } from "../schema/policy.js";

/** The largest difference of logits, as a share of the largest logit of the row (of 1, when all are
 * smaller). Float32 sums depend on their order. */
export const TOLERANCE = 1e-4;

/** Smaller differences are rounding, even when none were observed (eight steps of float32). */
const ROUNDING = 2 ** -20;

/** The answer of the export for one image. */
export interface FoundAnswer {
  /** The exit where the work stopped. */
  readonly stop: number;
  /** The predicted class. */
  readonly label: number;
  /** The bits of the gates before that exit. */
  readonly gates?: readonly GateBit[] | undefined;
  /** The logits of the exit that answers. */
  readonly logits: Float32Array;
  /** The logits of every exit, when the export gives them. Each must equal the model's. */
  readonly all?: readonly Float32Array[] | undefined;
}

/** How an export compares with its model on some images. */
export interface Verification {
  /** The number of images that both ran on. */
  readonly samples: number;
  /** See {@link TOLERANCE}. */
  readonly tolerance: number;
  /** The largest difference of two logits, as a share of the row's largest. */
  readonly largestDifference: number;
  /** Images on which the model's decision depends on no more than rounding. */
  readonly closeCalls: number;
  /** How many of the close calls had another outcome. */
  readonly changed: number;
  /** Images that stopped at each exit of the model. */
  readonly stops: readonly number[];
}

/** What the model and its export gave for the same images, in the same order. */
export interface VerifyOptions {
  readonly policy: Policy;
  /** The logits of the model. */
  readonly logits: Logits;
  /** The answers of the export. */
  readonly found: readonly FoundAnswer[];
}

/** Compare an export with the model.
 * @throws DynnError 'export/mismatch' naming the first image on which they differ */
export function verify(
  model: Pick<DynamicModel, "name" | "exits">,
  { policy, logits, found }: VerifyOptions,
): Verification {
  const routed = route(logits, policy);
  const rows = routed.map((_, i) => logits.rows(i));
  const differences = found.map((f, i) => differenceOf(f, routed[i], rows[i]));
  const allowed = differences.filter((d) => d <= TOLERANCE);
  const rounding = Math.max(ROUNDING, ...allowed);
  const close = rows.map((row, i) => Math.min(slackOf(row, policy, routed[i]), gateSlack(logits, i)) <= rounding);
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

/** The largest difference of the logits. Infinite when label, exit or bits of gates differ. */
function differenceOf(
  { stop, label, logits, all, gates }: FoundAnswer,
  routed: Routed,
  rows: readonly Float32Array[],
): number {
  if (stop !== routed.stop || label !== routed.label) return Number.POSITIVE_INFINITY;
  if (gates?.join() !== routed.gates?.join()) return Number.POSITIVE_INFINITY;
  if (!all) return relativeDifference(logits, rows[routed.answer]);
  return Math.max(...rows.map((row, exit) => relativeDifference(all[exit], row)));
}

const sizeOfRow = (row: Float32Array): number => row.reduce((size, v) => Math.max(size, Math.abs(v)), 1);

/** The largest difference of two rows, as a share of the largest of `b`. Equal infinities count as
 * equal, and so do two NaN. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  const size = sizeOfRow(b);
  return b.reduce((most, v, i) => (Object.is(a[i], v) ? most : Math.max(most, Math.abs(a[i] - v) / size)), 0);
}

/** The least change of the logits, as a share of their largest, that could change the decision.
 * A confidence changes by at most max(1, 2 ln classes) / temperature times the change of the
 * logits. The difference of two logits changes by at most twice that change. */
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

/** The least change of a score, as a share of it, that could change a gate of image `i`. */
const gateSlack = ({ gates }: Logits, i: number): number =>
  gates.reduce((least, { scores, threshold }) => {
    if (forcedBit(threshold) !== undefined) return least;
    return Math.min(least, Math.abs(scores[i] - threshold) / Math.max(1, Math.abs(scores[i])));
  }, Number.POSITIVE_INFINITY);

/** Half the distance of the two largest values. */
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
    `${name}: the export and the model answer differently on image ${image}: ${what}. Nothing was written. Please report this with the model.`,
    { image, found: { stop: found.stop, label: found.label }, expected: routed },
  );
}
