/** @file The parameters of goals and methods: their kinds, defaults and limits. One table per goal
 *  or method gives the fields of attack files, the help texts and the documentation. */

import { DynnError } from "../core/errors.js";
import { parseQuantity } from "../core/units.js";
import { isRadius, largestRadius } from "../perturb/norms.js";
import type { Norm } from "../schema/norm.js";
import type { Victim } from "./goals/victim.js";

/** What defaults depend on. */
export interface ParameterContext {
  readonly norm: Norm;
  /** Undefined: any distance. */
  readonly radius: number | undefined;
  /** Values of one image, over all channels. Infinity when the model leaves the size open. */
  readonly size: number;
  readonly victim: Victim;
  /** The values of the parameters before this one. */
  readonly before: Readonly<Record<string, number | string | boolean>>;
}

/** A value as an attack file has it. */
export type Written = number | string | boolean | null | undefined;

/** One parameter. */
export interface Parameter<T extends number | string | boolean = number | string | boolean> {
  /** What the parameter means, as a noun. */
  readonly about: string;
  /** The default, in words, where it is not one value. */
  readonly usual?: string | undefined;
  readonly fallback: T | ((context: ParameterContext) => T);
  /** What the network must have for the parameter to mean something. Other networks have no value
   * of it, and a file that gives one is refused. */
  readonly needs?: "gates" | undefined;
  /** Reads what a file says.
   * @throws DynnError 'attack/config' naming `where` */
  readonly read: (written: Written, where: string, context: ParameterContext) => T;
}

/** The parameters of a goal or a method, by name. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** The values of parameters. */
export type Values<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

type Fallback<T> = Parameter["fallback"] extends unknown ? T | ((context: ParameterContext) => T) : never;

const refuse = (where: string, got: Written, expected: string): never => {
  throw new DynnError(
    "attack/config",
    `${where}: got ${JSON.stringify(got)}, expected ${expected}. Correct the value.`,
    {
      where,
      got,
    },
  );
};

const numberOf = (written: Written, where: string): number =>
  typeof written === "number" || typeof written === "string"
    ? parseQuantity(written, where)
    : refuse(where, written, "a number");

/** The range of a parameter. */
export interface Limits {
  /** As in {@link Parameter}. */
  readonly needs?: Parameter["needs"];
  /** The least value. Default: 1 for whole numbers, else 0. */
  readonly least?: number;
  /** The greatest value. Default: no limit. */
  readonly most?: number;
  /** The default in words, when it depends on the attack. */
  readonly usual?: string;
}

/** A whole number. */
export const count = (
  fallback: Fallback<number>,
  about: string,
  { least = 1, most, usual }: Limits = {},
): Parameter<number> => ({
  about,
  usual,
  fallback,
  read: (written, where) => {
    const value = typeof written === "string" && !/^\d+$/.test(written) ? Number.NaN : numberOf(written, where);
    const fits = Number.isInteger(value) && value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER);
    return fits
      ? value
      : refuse(
          where,
          written,
          `a whole number of at least ${least}${most === undefined ? "" : ` and at most ${most}`}`,
        );
  },
});

/** A number. */
export const amount = (
  fallback: Fallback<number>,
  about: string,
  { least = 0, most, usual, needs }: Limits = {},
): Parameter<number> => ({
  about,
  usual,
  fallback,
  needs,
  read: (written, where) => {
    const value = numberOf(written, where);
    const fits = value >= least && value <= (most ?? Number.POSITIVE_INFINITY);
    return fits
      ? value
      : refuse(where, written, `at least ${least}${most === undefined ? "" : ` and at most ${most}`}`);
  },
});

/** A length in pixel units, within the norm of the attack. */
export const length = (fallback: Fallback<number>, about: string, { usual }: Limits = {}): Parameter<number> => ({
  about,
  usual,
  fallback,
  read: (written, where, context) => {
    const value = numberOf(written, where);
    checkLength(value, where, context);
    return value;
  },
});

/** Where a search starts: false at the image, true at a random point of the ball, a number at a
 * random point within that distance. */
export const randomStart = (fallback: boolean): Parameter<boolean | number> => ({
  about: "`true`: a random point of the ball; a number: a random point within that distance; `false`: the image",
  fallback,
  read: (written, where, context) => {
    if (typeof written === "boolean") return written;
    const value = numberOf(written, where);
    checkLength(value, where, context);
    return value;
  },
});

/** Yes or no. */
export const flag = (fallback: boolean, about: string): Parameter<boolean> => ({
  about,
  fallback,
  read: (written, where) => (typeof written === "boolean" ? written : refuse(where, written, "true or false")),
});

/** One of some words. */
export const choice = <T extends string>(options: readonly T[], fallback: T, about: string): Parameter<T> => ({
  about: `${about}: ${options.map((o) => `\`${o}\``).join(", ")}`,
  fallback,
  read: (written, where) => {
    const found = options.find((option) => option === written);
    return found ?? refuse(where, written, options.join(", "));
  },
});

/** A list of whole numbers, written "0,2". The value is the text. */
export const list = (fallback: string, about: string, usual?: string): Parameter<string> => ({
  about,
  usual,
  fallback,
  read: (written, where) =>
    /^\d+(,\d+)*$/.test(String(written)) ? String(written) : refuse(where, written, 'whole numbers such as "0,2"'),
});

/** A list of words, written "a,b". The value is the text. */
export const words = <T extends string>(
  options: readonly T[],
  fallback: Fallback<string>,
  about: string,
  usual?: string,
): Parameter<string> => ({
  about: `${about}: ${options.map((o) => `\`${o}\``).join(", ")}`,
  usual,
  fallback,
  read: (written, where) =>
    String(written)
      .split(",")
      .every((word) => options.includes(word as T))
      ? String(written)
      : refuse(where, written, `some of ${options.join(", ")}, with commas between them`),
});

/** The one check of a length in an attack.
 * @throws DynnError 'attack/config' */
export function checkLength(
  value: number,
  what: string,
  { norm, size }: Pick<ParameterContext, "norm" | "size">,
): void {
  if (isRadius(value, norm, size)) return;
  const most = Number(largestRadius(norm, size).toPrecision(4));
  const fraction = Number.isInteger(value) && value > 1 && value < 256 ? `${value}/255` : "8/255";
  throw new DynnError(
    "attack/config",
    `${what}: got ${value}, expected 0 to ${most}: pixels lie in [0,1], and no two images are farther apart in ${norm}. Write a fraction such as "${fraction}".`,
    { what, value, most },
  );
}

/** Whether a parameter means nothing for the network.
 * @throws DynnError 'attack/unsupported' when a file gives it all the same */
function isIdle(
  { needs }: Parameter,
  { victim: { model } }: Pick<ParameterContext, "victim">,
  written: Written,
  where: string,
): boolean {
  if (needs !== "gates" || model.gates.length > 0) return false;
  if (written === undefined) return true;
  throw new DynnError(
    "attack/unsupported",
    `${where}: ${model.name} has no gates, and this parameter is about gates. Remove it.`,
    { where },
  );
}

/** Reads the values of all parameters, in the order of the table. A parameter that means nothing
 * for the network has no value. */
export function valuesOf<P extends Parameters>(
  parameters: P,
  written: Readonly<Record<string, Written>>,
  where: string,
  context: Omit<ParameterContext, "before">,
): Values<P> {
  const values: Record<string, number | string | boolean> = {};
  for (const [key, parameter] of Object.entries(parameters)) {
    const full = { ...context, before: values };
    const given = written[key];
    if (isIdle(parameter, context, given, `${where}, ${key}`)) continue;
    const { fallback } = parameter;
    values[key] =
      given === undefined
        ? typeof fallback === "function"
          ? fallback(full)
          : fallback
        : parameter.read(given, `${where}, ${key}`, full);
  }
  return values as Values<P>;
}
