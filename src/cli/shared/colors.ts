/** @file Colours, for each stream by itself: on a terminal, unless NO_COLOR is set. FORCE_COLOR
 *  turns them on anywhere.
 *  Picocolors alone looks only at standard output, and colours every log when CI is set. Source:
 *  no-color.org. */
import pc from "picocolors";

const wanted = (stream: { readonly isTTY?: boolean }): boolean => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  return Boolean(FORCE_COLOR) || (stream.isTTY === true && TERM !== "dumb");
};

/** Colours for standard output. */
export const out = pc.createColors(wanted(process.stdout));
/** Colours for standard error. */
export const err = pc.createColors(wanted(process.stderr));
