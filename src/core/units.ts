/** @file Numbers as people write them: "8/255", "0.25/255", "5%", 0.5. */
import { DynnError } from "./errors.js";

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const FORM = new RegExp(`^\\s*(${NUMBER})\\s*(?:/\\s*(${NUMBER})|(%))?\\s*$`);

/** Parses a number, a fraction "a/b" or a percentage "p%".
 * @throws DynnError 'cli/value' naming `where` */
export function parseQuantity(text: string | number, where: string): number {
  const match = FORM.exec(String(text));
  const value = match ? (Number(match[1]) / (match[2] ? Number(match[2]) : 1)) * (match[3] ? 0.01 : 1) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new DynnError(
    "cli/value",
    `${where}: "${text}" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%).`,
    { where, got: text },
  );
}

/** A pixel radius as people write it: 0.03137 is "8/255". A radius that is not a multiple of a
 * quarter of 1/255 stays decimal. */
export function showRadius(radius: number): string {
  const steps = radius * 255;
  const quarters = Math.round(steps * 4);
  if (quarters > 0 && Math.abs(steps * 4 - quarters) < 1e-6 * quarters) return `${quarters / 4}/255`;
  return String(Number(radius.toPrecision(4)));
}

/** 1234567890 bytes as "1.2 GB". A number that rounds up to the next unit is written in that
 * unit. */
export const showBytes = (bytes: number): string => {
  const [number, unit = ""] = showCount(bytes).split(" ");
  return `${number} ${unit}B`;
};

/** A number of things, in the singular or the plural: "1 image", "2 images".
 * @param many the plural. Default: `one` with an s */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** 12345678 as "12.3 M". A number that rounds up to the next unit is written in that unit. */
export function showCount(count: number): string {
  for (const [size, unit] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (count >= 0.9995 * size) return `${(count / size).toFixed(count >= 99.95 * size ? 0 : 1)} ${unit}`;
  return String(Math.round(count));
}
