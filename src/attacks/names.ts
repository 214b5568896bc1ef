/** @file Names of objectives and of named attacks that have changed. Attack files and calls may use the old ones for good.
 *  Records always hold the new ones. */

/** Old name -> name. */
export const OLD_NAMES: Readonly<Record<string, string>> = {
  "early:proper": "early:margin",
  "early:paper": "early:published",
  "early-paper": "early-published",
};

/** The name of today. A name that has not changed stays as it is. */
export const currentName = (name: string): string => (Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : name);
