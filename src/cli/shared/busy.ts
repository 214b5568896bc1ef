/** @file The warning about times that were measured on a busy machine. */
import type { Steadiness } from "../../schema/steadiness.js";

/** A line below the table that holds the times; nothing where they are to be trusted. */
export const busyNote = (steadiness: Steadiness | undefined): string =>
  steadiness?.warning === undefined ? "" : `\nWarning: ${steadiness.warning}\n`;
