/** @file The check of counts: batches, rounds, steps. */
import { DynnError } from "./errors.js";

/** Checks that a number is whole and large enough.
 * @param name the option of the call, as messages name it
 * @throws DynnError 'cli/value' */
export function checkWhole(name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new DynnError("cli/value", `${name}: got ${value}, expected a whole number of at least ${least}. Give one.`, {
    name,
    value,
    options: [name],
  });
}
