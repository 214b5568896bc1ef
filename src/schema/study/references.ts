/** @file How plans name networks and records: by digests, so that a changed file is found out. */
import { z } from "zod";
import { count } from "../numbers.js";

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

export const networkRefSchema = z.strictObject({
  name: z.string().min(1).describe("its name in tables"),
  sha256: digest.describe("of the model with its weights"),
  exits: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("names of the exits that are kept, the last one as the final exit; absent: all"),
});
/** A network of a study. */
export type NetworkRef = z.infer<typeof networkRefSchema>;

export const dataRefSchema = z.strictObject({
  name: z.string().min(1).describe("its name in tables"),
  sha256: digest.describe("of shape, record numbers, labels and pixels"),
  records: z
    .union([z.strictObject({ from: count, count }), z.array(count)])
    .describe("record numbers in the data set: a range, or a list"),
});
/** Records of a data set. */
export type DataRef = z.infer<typeof dataRefSchema>;

/** The record numbers of a reference. */
export const recordsOf = ({ records }: Pick<DataRef, "records">): number[] =>
  Array.isArray(records) ? records : Array.from({ length: records.count }, (_, i) => records.from + i);
