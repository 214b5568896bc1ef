/** @file The class that --label names. */
import { didYouMean } from "../../core/guess.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { refuse } from "../shared/options.js";

export type ModelClasses = Pick<DynamicModel, "name" | "classes" | "classNames">;

/** The number of a class, from its name or number.
 * @throws DynnError 'cli/value' */
export function labelOf(given: string, { name, classes, classNames = [] }: ModelClasses): number {
  const named = classNames.indexOf(given);
  const number = named >= 0 ? named : /^\d+$/.test(given) ? Number(given) : -1;
  if (number >= 0 && number < classes) return number;
  const guess = didYouMean(given, classNames);
  throw refuse(
    "--label",
    given,
    `a class of ${name}: ${classNames.length > 0 ? classNames.slice(0, 20).join(", ") : `0 to ${classes - 1}`}`,
    `${guess.trim()}${guess === "" ? "" : " "}Write e.g. --label ${classNames[0] ?? 0}`,
  );
}
