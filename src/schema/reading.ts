/** @file What a record says of how its model was read: the scale of pixels, what dynn changed in
 *  the file, and what quantized operators mean. */
import { z } from "zod";

/** Fields of the model in records of audits, calibrations and profiles. */
export const readingFields = {
  inputScale: z.literal(255).optional().describe("the file takes pixels in 0 to 255; radii are for pixels in [0,1]"),
  changes: z.array(z.string()).optional().describe("what dynn changed when it read the file"),
  quantization: z.string().optional().describe("what quantized operators mean for answers and gradients"),
};

/** How a model was read. Fields that say nothing are left out. */
export interface Reading {
  readonly inputScale?: 255 | undefined;
  readonly changes?: readonly string[] | undefined;
  readonly quantization?: string | undefined;
}

/** The fields for a model. */
export const readingOf = ({
  inputScale,
  changes = [],
  quantization,
}: Reading): { inputScale?: 255; changes?: string[]; quantization?: string } => ({
  ...(inputScale ? { inputScale } : {}),
  ...(changes.length > 0 ? { changes: [...changes] } : {}),
  ...(quantization === undefined ? {} : { quantization }),
});

/** What tables and reports say. */
export const readingLines = ({ inputScale, changes = [], quantization }: Reading): string[] => [
  ...changes,
  ...(quantization === undefined ? [] : [quantization]),
  ...(inputScale === undefined
    ? []
    : ["The file takes pixels in 0 to 255, and dynn multiplies by 255. Radii are for pixels in [0,1]."]),
];
