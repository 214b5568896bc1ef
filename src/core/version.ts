/** The version of this package.
 * @file The version of dynn, as in package.json (a test says so); files that dynn writes carry it. */
export const VERSION = "0.1.0";
