/** @file The version of dynn. A test compares it with package.json. Files that dynn writes
 *  contain it. */

/** The version of this package. */
export const VERSION = "0.1.0";
