/** @file The transfer record, which `dynn transfer --json` writes and its report draws. It is a
 *  versioned contract, as the record of an audit. docs/transfer.md explains the fields. */
import { z } from "zod";
import { memoryFields } from "./batch.js";
import { digestSchema, madeFields } from "./made.js";
import { normSchema } from "./norm.js";
import { count, notesSchema, rateSchema, share, toolSchema } from "./numbers.js";
import { policySchema } from "./policy.js";

/** Version of the transfer record. */
export const TRANSFER_VERSION = 1;

const networkSchema = z.object({
  name: z.string(),
  sha256: digestSchema,
  parameters: count,
  exits: count.describe("number of exits"),
  macs: z.number().min(0).describe("MACs of the final exit"),
  policy: policySchema,
  accuracy: rateSchema.describe("samples whose routed answer is right when clean, among all samples"),
  meanCostFraction: share.describe("mean cost when clean"),
});

const attackSchema = z.object({
  name: z.string(),
  goal: z.string(),
  method: z.string(),
  norm: normSchema,
  radius: z.number().min(0).nullable().describe("pixel units"),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  success: z
    .array(z.array(rateSchema))
    .describe(
      "row: surrogate, column: target; eligible samples whose routed answer the target gets wrong, images rounded to 8 bits",
    ),
  surrogateSuccess: z
    .array(rateSchema)
    .describe("per surrogate: eligible samples on which the attack met its goal on the surrogate itself"),
  seconds: z.array(z.number().min(0)).describe("per surrogate: wall time of the attack"),
});

/** Checks and types the record. */
export const transferRecordSchema = z.object({
  schemaVersion: z.literal(TRANSFER_VERSION),
  tool: toolSchema,
  ...madeFields,
  data: z.object({ name: z.string(), samples: count, seed: z.number().int(), notes: notesSchema }),
  networks: z.array(networkSchema).min(2),
  eligible: count.describe("samples that every network got right when clean; only they are attacked"),
  attacks: z.array(attackSchema),
  ...memoryFields,
  seconds: z.number().min(0),
});

/** The record of a transfer study. */
export type TransferRecord = z.infer<typeof transferRecordSchema>;
export type TransferAttack = TransferRecord["attacks"][number];
