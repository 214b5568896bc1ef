/** @file What a record says of how its model was read: the scale of pixels, and what dynn changed
 *  in the file. */
import { z } from "zod";

/** Fields of the model in records of audits, calibrations and profiles. */
export const readingFields = {
  inputScale: z.literal(255).optional().describe("the file takes pixels in 0 to 255; radii are for pixels in [0,1]"),
  changes: z.array(z.string()).optional().describe("what dynn changed when it read the file"),
};

/** How a model was read. Fields that say nothing are left out. */
export interface Reading {
  readonly inputScale?: 255 | undefined;
  readonly changes?: readonly string[] | undefined;
}

/** The fields for a model. */
export const readingOf = ({ inputScale, changes = [] }: Reading): { inputScale?: 255; changes?: string[] } => ({
  ...(inputScale ? { inputScale } : {}),
  ...(changes.length > 0 ? { changes: [...changes] } : {}),
});

/** What tables and reports say: one sentence each. */
export const readingLines = ({ inputScale, changes = [] }: Reading): string[] => [
  ...changes,
  ...(inputScale === undefined
    ? []
    : ["The file takes pixels in 0 to 255, and dynn multiplies by 255. Radii are for pixels in [0,1]."]),
];
