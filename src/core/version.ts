/** @file The version of dynn. A test compares it with package.json. Files that dynn writes
 *  contain it. Between two releases it is the next version with the ending "-unreleased". */

/** The version of this package. */
export const VERSION = "0.2.0-unreleased";
