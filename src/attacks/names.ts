/** @file Old names of goals, methods and named attacks. Attack files and calls can use the old
 *  names. Records always hold the new names. */

/** Old name -> name. */
export const OLD_NAMES: Readonly<Record<string, string>> = {
  "early:proper": "early:margin",
  "early:paper": "early:published",
  "early-paper": "early-published",
};

/** The current name. A name that has not changed stays the same. */
export const currentName = (name: string): string => (Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : name);
