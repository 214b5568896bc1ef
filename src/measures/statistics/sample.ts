/** @file Mean, standard deviation and the checks of what statistical functions are given. */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";

/** Mean of at least one number. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Standard deviation with n - 1. */
export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Refuses fewer than `least` numbers, and numbers that are not finite.
 * @param where name of the function in the message */
export function requireValues(where: string, values: ArrayLike<number>, least: number): void {
  const wrong = Array.from(values).findIndex((value) => !Number.isFinite(value));
  if (values.length >= least && wrong < 0) return;
  const got = values.length < least ? counted(values.length, "number") : `${values[wrong]} at index ${wrong}`;
  throw statisticsError(where, "the numbers cannot be used", got, `at least ${least} finite numbers`);
}

/** Refuses lists of different lengths. */
export function requireEqual(where: string, a: ArrayLike<unknown>, b: ArrayLike<unknown>): void {
  if (a.length !== b.length)
    throw statisticsError(where, "two lists differ in length", `${a.length} and ${b.length}`, "equal lengths");
}

/** The error of statistical functions.
 * @param got what was given
 * @param expected what is possible */
export const statisticsError = (where: string, wrong: string, got: string, expected: string): DynnError =>
  new DynnError("statistics/value", `${where}: ${wrong}. Got ${got}, expected ${expected}.`, { where, got, expected });
