/** @file Readers of the option values of `dynn train` and `dynn convert`: shares, weights of exits,
 *  augmentations, validation records, memory. */
import { parseQuantity } from "../../core/units.js";
import { type ExitSpec, parseExits } from "../../dynamic/place/exits.js";
import type { ValidationChoice } from "../../node/training/data.js";
import type { AugmentConfig, ExitWeights } from "../../training/recipe/config.js";
import { type Reader, refuse, whole } from "../shared/options.js";

/** A number that `fits` accepts. `expected` says in words which numbers those are. */
const number =
  (fits: (value: number) => boolean, expected: string, example: string): Reader<number> =>
  (text, where) => {
    const value = parseQuantity(text, where);
    if (fits(value)) return value;
    throw refuse(where, text, expected, `Write e.g. ${where} ${example}`);
  };

export const positive = (example: string) => number((v) => v > 0, "a number above 0", example);
export const atLeastZero = (example: string) => number((v) => v >= 0, "a number of at least 0", example);
export const below1 = (example: string) => number((v) => v >= 0 && v < 1, "a number from 0 to below 1", example);
export const shareOf = (example: string) => number((v) => v >= 0 && v <= 1, "a share from 0 to 1", example);

export const exitSpec: Reader<ExitSpec> = (text) => parseExits(text);

export const weights: Reader<ExitWeights> = (text, where) =>
  text === "ramp" || text === "equal" ? text : text.split(",").map((part) => atLeastZero("1")(part, where));

/** "10%" or "0.1" is a share. Anything else is a data spec. */
export const validation: Reader<ValidationChoice> = (text, where) => {
  if (!/^[\d.\s%/]+$/.test(text)) return { kind: "spec", spec: text };
  return {
    kind: "share",
    share: number((v) => v > 0 && v < 1, "a share between 0 and 1, or data", "10%")(text, where),
  };
};

/** "none", or some of flip, crop:PIXELS (reflected), crop-zero:PIXELS and cutout:SIDE. */
export const augment: Reader<AugmentConfig> = (text, where) => {
  const parts = text === "none" ? [] : text.split(",").map((part) => part.trim());
  const sizeOf = (kind: string): number | undefined => {
    const part = parts.find((p) => p.startsWith(`${kind}:`));
    return part === undefined ? undefined : whole(1, 4)(part.slice(kind.length + 1), `${where} ${kind}`);
  };
  const [reflect, zero, cutout] = ["crop", "crop-zero", "cutout"].map(sizeOf);
  const known = Number(parts.includes("flip")) + [reflect, zero, cutout].filter((size) => size !== undefined).length;
  if (known !== parts.length || (reflect !== undefined && zero !== undefined))
    throw refuse(
      where,
      text,
      "none, or some of flip, crop:PIXELS or crop-zero:PIXELS, cutout:SIDE",
      `Write e.g. ${where} flip,crop:4`,
    );
  const mode = reflect === undefined ? "zero" : "reflect";
  const pad = reflect ?? zero;
  return { flip: parts.includes("flip"), crop: pad === undefined ? undefined : { pad, mode }, cutout };
};

export const UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** Bytes, from "512MiB". */
export const memory: Reader<number> = (text, where) => {
  const [, count, unit = "B"] = /^(\d+)(B|KiB|MiB|GiB)?$/.exec(text.trim()) ?? [];
  if (count !== undefined) return Number(count) * UNITS[unit as keyof typeof UNITS];
  throw refuse(where, text, "a size in B, KiB, MiB or GiB", `Write e.g. ${where} 512MiB`);
};
