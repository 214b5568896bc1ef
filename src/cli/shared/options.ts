/** @file Readers of option values: text in, checked value out. An error names the option, the given
 *  text and the expected values. */
import { Option } from "commander";
import { DynnError } from "../../core/errors.js";
import { guesses } from "../../core/guess.js";
import { parseQuantity } from "../../core/units.js";
import { isRadius } from "../../perturb/norms.js";

/** Reads the text of one option. `where` is the option as it is written, "--samples". */
export type Reader<T> = (text: string, where: string) => T;

/** The words of readers and options that take nothing else. */
const words = new WeakMap<object, readonly string[]>();

/** The words that an option takes. Undefined where it takes other values too. */
export const wordsOf = (given: Option): readonly string[] | undefined => given.argChoices ?? words.get(given);

/** An option whose value is read by `read`. */
export function option<T>(flags: string, about: string, read: Reader<T>): Option {
  const made = new Option(flags, about);
  const known = words.get(read);
  if (known !== undefined) words.set(made, known);
  return made.argParser((text) => read(text, made.long ?? flags));
}

/** The error for a wrong value. */
export const refuse = (where: string, text: string, expected: string, remedy: string): DynnError =>
  new DynnError("cli/value", `${where}: got "${text}", expected ${expected}. ${remedy}.`, { option: where, got: text });

/** Any text. */
export const text: Reader<string> = (given) => given;

/** A whole number of at least `least`. */
export const whole =
  (least: number, example: number): Reader<number> =>
  (text, where) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw refuse(where, text, `a whole number of at least ${least}`, `Write e.g. ${where} ${example}`);
  };

/** A radius in pixel units. 8 in place of 8/255 is a common mistake, and would destroy the image.
 */
export const radius: Reader<number> = (text, where) => {
  const value = parseQuantity(text, where);
  if (isRadius(value, "linf")) return value;
  throw refuse(where, text, "a radius from 0 to 1, as pixels lie in [0,1]", "Write a fraction such as 8/255");
};

/** A comma-separated list. Each part is read by `read`. At least one part. */
export const listOf =
  <T>(read: Reader<T>): Reader<T[]> =>
  (text, where) =>
    text.split(",").map((part) => read(part.trim(), where));

/** One of these words. */
export function oneOf<T extends string>(choices: readonly T[]): Reader<T> {
  const read: Reader<T> = (text, where) => {
    const word = choices.find((w) => w === text);
    if (word !== undefined) return word;
    const [guess = choices[0]] = guesses(text, choices);
    throw refuse(where, text, `one of ${choices.join(", ")}`, `Write e.g. ${where} ${guess}`);
  };
  words.set(read, choices);
  return read;
}

/** A port of this machine. */
export const port: Reader<number> = (text, where) => {
  const value = whole(0, 8790)(text, where);
  if (value < 2 ** 16) return value;
  throw refuse(where, text, "a port from 0 (any free port) to 65535", `Write e.g. ${where} 8790`);
};

/** [height, width] from "224,224" or "224". */
export const imageSize: Reader<readonly [number, number]> = (text, where) => {
  const [height, width = height, ...more] = text.split(",").map(Number);
  if ([height, width].every((side) => Number.isSafeInteger(side) && side > 0) && more.length === 0)
    return [height, width];
  throw refuse(where, text, "HEIGHT,WIDTH in whole pixels", `Write e.g. ${where} 224,224`);
};

/** The path of a file to write. */
export const file: Reader<string> = (text, where) => {
  if (text !== "" && text !== "-") return text;
  throw refuse(where, text, "the path of a file", `Write e.g. ${where} report.html`);
};

/** The path of a file to write, or "-" for standard output. */
export const fileOrOutput: Reader<string> = (text, where) => {
  if (text !== "") return text;
  throw refuse(where, text, "the path of a file, or - to print", `Write e.g. ${where} out.json`);
};
