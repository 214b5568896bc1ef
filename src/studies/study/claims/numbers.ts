/** @file Numbers in the sentences of verdicts. */
import type { Scale } from "../../../schema/study/claims.js";

/** Three significant digits. */
export const number = (value: number): string => String(Number(value.toPrecision(3)));

const BARE: Readonly<Record<Scale, (value: number) => string>> = {
  share: (value) => (100 * value).toFixed(1),
  logarithm: (value) => Math.exp(value).toFixed(2),
  plain: number,
};
const UNITS: Readonly<Record<Scale, string>> = { share: " points", logarithm: "×", plain: "" };

/** An effect as "3.1 points", "1.20×" or "0.31". */
export const size = (value: number, scale: Scale): string => `${BARE[scale](value)}${UNITS[scale]}`;

/** An interval as "1.2 to 5.0 points". */
export const range = ([low, high]: readonly [number, number], scale: Scale): string =>
  `${BARE[scale](low)} to ${size(high, scale)}`;

export const percent = (value: number): string => `${Math.round(100 * value)} %`;
