/** @file How plans name networks and records: by digests, so that a changed file is found out. */
import { z } from "zod";
import { count } from "../numbers.js";

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

export const networkRefSchema = z
  .strictObject({
    /** Its name in tables. */
    name: z.string().min(1),
    /** Of the model with its weights. */
    sha256: digest.optional(),
    /** Key of the task that trains it, in place of a digest. */
    task: digest.optional(),
    /** Names of the exits that are kept, the last one as the final exit; absent: all. */
    exits: z.array(z.string()).min(1).optional(),
  })
  .refine(({ sha256, task }) => (sha256 === undefined) !== (task === undefined), "expected either sha256 or task");
/** A network of a study. */
export type NetworkRef = z.infer<typeof networkRefSchema>;

export const dataRefSchema = z.strictObject({
  /** Its name in tables. */
  name: z.string().min(1),
  /** Of shape, record numbers, labels and pixels. */
  sha256: digest,
  /** Record numbers in the data set: a range, or a list. */
  records: z.union([z.strictObject({ from: count, count }), z.array(count)]),
});
/** Records of a data set. */
export type DataRef = z.infer<typeof dataRefSchema>;

export const trainingRefSchema = z.strictObject({
  /** Name of the data set in tables. */
  name: z.string().min(1),
  /** Of shape, classes, labels and images, for training, validation and test. */
  sha256: digest,
});
/** The records that networks are trained on. */
export type TrainingRef = z.infer<typeof trainingRefSchema>;

/** The record numbers of a reference. */
export const recordsOf = ({ records }: Pick<DataRef, "records">): number[] =>
  Array.isArray(records) ? records : Array.from({ length: records.count }, (_, i) => records.from + i);
