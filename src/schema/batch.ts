/** @file What a record says of the samples in one run, and of the memory that they were expected to
 *  take. */
import { z } from "zod";
import { count } from "./numbers.js";

/** The batch of a study. */
export const memorySchema = z.object({
  batch: z.number().int().min(1).describe("samples in one run; it changes time and memory, not results"),
  chosen: z.boolean().describe("true: dynn chose the batch from the memory; false: the call gave it"),
  bytesPerSample: count
    .optional()
    .describe("bytes that one sample was expected to take in the largest graph; absent when its sizes are open"),
  bytes: count.optional().describe("bytes that one run of the largest graph was expected to take, weights included"),
});

/** The batch of a study, and the memory that it was expected to take. */
export type BatchMemory = z.infer<typeof memorySchema>;

/** The field of a record. Records of earlier releases lack it. */
export const memoryFields = { memory: memorySchema.optional() };
