/** @file The kinds of numbers that records hold: shares, counts, rates with intervals. */
import { z } from "zod";

/** A number from 0 to 1. */
export const share = z.number().min(0).max(1);
export const count = z.number().int().min(0);

/** A rate with its 95 % Wilson interval. */
export const rateSchema = z.object({ value: share, low: share, high: share });
export type Rate = z.infer<typeof rateSchema>;

/** The tool that wrote a record. */
export const toolSchema = z.object({ name: z.literal("dynn"), version: z.string() });
