/** @file Colours, for each stream by itself: on a terminal, unless NO_COLOR is set; FORCE_COLOR turns them on anywhere.
 *  Picocolors alone asks only about standard output, and colours every log where CI is set. Source: no-color.org. */
import pc from "picocolors";

const wanted = (stream: { readonly isTTY?: boolean }): boolean => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  return Boolean(FORCE_COLOR) || (stream.isTTY === true && TERM !== "dumb");
};

/** For what goes to standard output. */
export const out = pc.createColors(wanted(process.stdout));
/** For what goes to standard error. */
export const err = pc.createColors(wanted(process.stderr));
