/** @file Formats the numbers of the reports: one decimal for percentages, an en dash between the
 *  ends of an interval, no-break spaces inside a figure.
 *  The result does not depend on the reader's locale. */
import { counted, showCount, showRadius } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import { type AttackRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import type { Rate } from "../../schema/numbers.js";

/** A space that keeps a figure together. */
const NBSP = "\u00a0";

/** Text in which a percent sign stays with its number. */
export const unbroken = (text: string): string => text.replaceAll(" %", `${NBSP}%`);

const oneDecimal = (share: number): string => (100 * share).toFixed(1);

/** 0.4141 as "41.4 %". */
export const percent = (share: number): string => `${oneDecimal(share)}${NBSP}%`;

/** 0.4141 as "41 %", for axes and confidences. */
export const wholePercent = (share: number): string => `${Math.round(100 * share)}${NBSP}%`;

/** An interval as "35.5–47.5". */
export const interval = (rate: Rate): string => `${oneDecimal(rate.low)}–${oneDecimal(rate.high)}`;

/** A rate as "41.4 % (35.5–47.5)". */
export const rate = (r: Rate): string => `${percent(r.value)} (${interval(r)})`;

/** How an attack's robust accuracy and its success are written; a dash where there was nothing to
 * attack. */
export const attackRates = (attack: AttackRecord, show: (r: Rate) => string, dash = "–") => ({
  robust: attack.nothingToAttack === NONE_RIGHT ? dash : show(attack.robustAccuracy),
  success: attack.eligible === 0 ? dash : show(attack.successRate),
  success8bit: attack.eligible === 0 ? dash : show(attack.success8bit),
});

/** One sentence for each attack or curve that had nothing to attack. */
export const nothingLines = (runs: readonly Pick<AttackRecord, "name" | "nothingToAttack">[]): string[] =>
  runs.flatMap(({ name, nothingToAttack }) =>
    nothingToAttack === undefined ? [] : [`${name}: nothing to attack, ${nothingToAttack}.`],
  );

/** The samples of an attack whose gradient vanished. */
export interface Vanished {
  readonly samples: number;
  /** Whether the samples were attacked again. */
  readonly retried: boolean;
  /** Share of answers that are still right. */
  readonly right: number;
}

/** The warning about vanished gradients. */
export const vanishedText = (name: string, vanished: number, { samples, retried, right }: Vanished): string =>
  `${name}: the gradient was 0 or below float32's resolution at ${vanished} of ${counted(samples, "sample")}.${
    retried
      ? " They were attacked again with losses that do not depend on the scale of logits (the margin loss, scaled cross-entropy)."
      : ""
  }${right > 0 ? " Robust accuracy may be too high." : ""}`;

/** What the numbers of an attack on records must carry: that there was nothing to attack, and where
 * gradients vanished. */
export const worstCaseWarnings = ({
  attack,
  retriedOnMargins,
  ...sides
}: NonNullable<CalibrationRecord["worstCase"]>) =>
  (["validation", "test"] as const).flatMap((side) => {
    const { samples, accuracy, vanishedGradients: vanished = 0, nothingToAttack } = sides[side];
    const name = `${attack}, ${side}`;
    const more = { samples, retried: retriedOnMargins === true, right: accuracy.value };
    return [
      ...nothingLines([{ name, nothingToAttack }]),
      ...(vanished > 0 ? [vanishedText(name, vanished, more)] : []),
    ];
  });

/** "1 sample", "256 samples". */
export const samples = (n: number): string => counted(n, "sample");

/** A difference of shares in points: "1.1 points". */
export const points = (difference: number): string => `${oneDecimal(difference)}${NBSP}points`;

/** The rate of a share of `samples` samples, with its interval. */
export const rateOf = (share: number, samples: number): Rate => wilson(Math.round(share * samples), samples);

/** 12345 as "12.3 k". */
export const count = (n: number): string => showCount(n).replace(" ", NBSP);

/** Seconds as "8.3 s", "2 min 05 s" or, from two hours on, "3 h 05 min". */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)}${NBSP}s`;
  const whole = Math.round(seconds);
  if (whole >= 7200) return `${Math.floor(whole / 3600)}${NBSP}h ${twoDigits((whole % 3600) / 60)}${NBSP}min`;
  return `${Math.floor(whole / 60)}${NBSP}min ${twoDigits(whole % 60)}${NBSP}s`;
}

const twoDigits = (n: number): string => String(Math.floor(n)).padStart(2, "0");

export type Norm = AttackRecord["norm"];

export const NORM_NAMES = { linf: "L∞", l2: "L2", l1: "L1", l0: "L0" } as const satisfies Record<Norm, string>;

/** A radius in its norm's customary unit: "8/255" for Linf, a decimal for L2. */
export const radius = (norm: Norm, size: number): string =>
  norm === "linf" ? showRadius(size) : String(Number(size.toPrecision(4)));

/** "L∞ 8/255", or "L2, no limit". */
export const budget = (norm: Norm, size: number | null): string =>
  size === null ? `${NORM_NAMES[norm]}, no limit` : `${NORM_NAMES[norm]}${NBSP}${radius(norm, size)}`;

/** Bounds under attack: "mean cost at most 80.0 %, accuracy at least 40.0 %". */
export const bounds = (asked: { readonly maxCost?: number | undefined; readonly minAccuracy?: number | undefined }) =>
  [
    ...(asked.maxCost === undefined ? [] : [`mean cost at most ${percent(asked.maxCost)}`]),
    ...(asked.minAccuracy === undefined ? [] : [`accuracy at least ${percent(asked.minAccuracy)}`]),
  ].join(", ");

/** A measured Linf norm: "14.7/255". */
export const linf = (size: number): string => `${Number((size * 255).toFixed(1))}/255`;

/** A measured L2 norm: "0.217". */
export const l2 = (size: number): string => size.toFixed(3);

/** The first `length` characters of a name. The last one is an ellipsis when the name was longer.
 */
export function shorten(name: string, length: number): string {
  const characters = [...name];
  return characters.length <= length ? name : `${characters.slice(0, length - 1).join("")}…`;
}
