/** @file A value that must be there. */

/** @returns the value
 * @throws Error, as a bug of dynn, when it is missing */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`bug: ${what} is missing`);
  return value;
}
