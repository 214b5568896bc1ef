/** @file The kinds of numbers that records hold: shares, counts, rates with intervals. */
import { z } from "zod";

/** A number from 0 to 1. */
export const share = z.number().min(0).max(1);
export const count = z.number().int().min(0);

/** A rate with its 95 % Wilson interval. */
export const rateSchema = z.object({ value: share, low: share, high: share });
export type Rate = z.infer<typeof rateSchema>;

/** What must be known of the data. */
export const notesSchema = z
  .array(z.string())
  .optional()
  .describe("how classes were matched, and what was passed over when the data were read");

/** A difference with its 95 % interval. It may be negative. */
export const estimateSchema = z.object({ value: z.number(), low: z.number(), high: z.number() });
export type Estimated = z.infer<typeof estimateSchema>;

/** What casts doubt on the numbers. */
export const warningsSchema = z.array(z.string()).optional().describe("reasons to doubt these numbers, one a line");

/** The tool that wrote a record. */
export const toolSchema = z.object({ name: z.literal("dynn"), version: z.string() });
