/** @file The words of a verdict: how much faster a network is, and how much accuracy that costs.
 *  Terminal and pages say the same. Read by: cli, the reports of profile, calibration and
 *  conversion. */
import type { Estimated, Rate } from "../../schema/numbers.js";
import type { Spread } from "../../schema/profile-record.js";

/** 1.82 as "1.8x", 0.94 as "0.94x": two digits where the figure is near 1. */
export const timesWords = (factor: number): string => `${figure(factor)}x`;

const figure = (factor: number): string => factor.toFixed(factor < 1.2 ? 2 : 1);

/** What a ratio of times says. Unsure: its range holds 1, so it may be chance. */
export type Speed = "faster" | "slower" | "unsure";

/** What a ratio of times says. */
export const speedOf = ({ low, high }: Spread): Speed => (low > 1 ? "faster" : high < 1 ? "slower" : "unsure");

/** A ratio of times as one word of a table: "1.8x", or "unsure". */
export const speedCell = (speedUp: Spread): string =>
  speedOf(speedUp) === "unsure" ? "unsure" : timesWords(speedUp.median);

/** "1.8x as fast (1.7-1.9)", "slower, 0.82x as fast (0.78-0.86)", or "unsure (0.95x-1.08x as
 * fast)". One round has no range: "1.8x as fast (one round)". */
export function speedWords(speedUp: Spread): string {
  const { median, low, high } = speedUp;
  if (speedOf(speedUp) === "unsure") return `unsure (${timesWords(low)}-${timesWords(high)} as fast)`;
  const slower = speedOf(speedUp) === "slower" && figure(median) !== "1.00" ? "slower, " : "";
  const range = low === high ? "one round" : `${figure(low)}-${figure(high)}`;
  return `${slower}${timesWords(median)} as fast (${range})`;
}

const inPoints = (share: number): string => (Math.round(1000 * share) / 10 + 0).toFixed(1);
const unitOf = (amount: string): string => (amount === "1.0" ? "point" : "points");

/** "0.4 points less accurate (95 %: -0.3 to 1.1)". An interval on both sides of 0 may be chance. */
export function lossWords({ value, low, high }: Estimated): string {
  const amount = inPoints(Math.abs(value));
  const range = (a: number, b: number): string => `(95 %: ${inPoints(a)} to ${inPoints(b)})`;
  if (amount === "0.0") return `as accurate ${range(low, high).replace(")", " points less)")}`;
  return value > 0
    ? `${amount} ${unitOf(amount)} less accurate ${range(low, high)}`
    : `${amount} ${unitOf(amount)} more accurate ${range(-high, -low)}`;
}

/** A loss of accuracy as a cell of a table: "0.4 (-0.3 to 1.1)". */
export const lossCell = ({ value, low, high }: Estimated): string =>
  `${inPoints(value)} (${inPoints(low)} to ${inPoints(high)})`;

/** "38.0 % less work (34.1-41.9)". Work is counted in multiply-accumulates.
 * @param cost mean cost, as a share of the whole network's */
export function workWords({ value, low, high }: Rate): string {
  const [least, most] = [1 - high, 1 - low].map((saved) => (100 * saved).toFixed(1));
  if (value > 1) return `${(100 * (value - 1)).toFixed(1)} % more work`;
  return `${(100 * (1 - value)).toFixed(1)} % less work (${least}-${most})`;
}

/** Whether a limit is kept. "perhaps": the interval holds the limit, so it may be chance. */
export type Kept = "kept" | "perhaps kept" | "perhaps missed" | "missed";

/** Compares a quantity and its 95 % interval with the most that is allowed. */
export function keptOf({ value, low, high }: Estimated, most: number): Kept {
  if (high <= most) return "kept";
  if (low > most) return "missed";
  return value <= most ? "perhaps kept" : "perhaps missed";
}

/** A sentence about a limit.
 * @param where "on the test records" */
export function keptWords(kept: Kept | undefined, where: string): string {
  switch (kept) {
    case "kept":
      return `This holds ${where}.`;
    case "perhaps kept":
      return `This holds ${where}, but the interval also allows a little more than was asked.`;
    case "perhaps missed":
      return `This does not hold ${where}, which may be chance: the interval holds the limit.`;
    case "missed":
      return `This does NOT hold ${where}.`;
    case undefined:
      return "";
  }
}
