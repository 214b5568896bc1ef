/** @file Access to a value that must exist. */

/** @returns the value
 * @throws Error, as a bug of dynn, when the value is undefined */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`bug: ${what} is missing`);
  return value;
}
