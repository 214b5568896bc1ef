/** @file The `dynn.*` metadata of a model file, one JSON value per key. */
import { z } from "zod";
import type { Normalization } from "./normalization.js";
import type { Policy } from "./policy.js";

export const exitsSchema = z
  .array(z.strictObject({ name: z.string().min(1), logits: z.string().min(1) }))
  .min(1)
  .refine((exits) => new Set(exits.map(({ name }) => name)).size === exits.length, {
    error: "two exits have the same name",
  });
export const gatesSchema = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      score: z.string().min(1),
      value: z.string().min(1),
      branch: z.string().min(1),
    }),
  )
  .min(1)
  .refine((gates) => new Set(gates.map(({ name }) => name)).size === gates.length, {
    error: "two gates have the same name",
  });
export const classesSchema = z.array(z.string()).min(2);

/** The metadata of a model file. A field is undefined when the file does not have its key. */
export interface ModelMetadata {
  /** Name and logits of each exit, in order. */
  readonly exits: z.infer<typeof exitsSchema> | undefined;
  /** Name, score, value and branch of each gate, in order. Undefined for a network without
   * gates. */
  readonly gates: z.infer<typeof gatesSchema> | undefined;
  /** The policy stored in the file. */
  readonly policy: Policy | undefined;
  /** The normalisation that the graph applies. */
  readonly normalization: Normalization | undefined;
  /** Names of the classes. */
  readonly classes: readonly string[] | undefined;
}

/** Keys of the metadata. `dynn.conditional` marks a conditional export, which routes by itself. */
export const METADATA_KEYS = {
  exits: "dynn.exits",
  gates: "dynn.gates",
  policy: "dynn.policy",
  normalization: "dynn.normalization",
  classes: "dynn.classes",
  card: "dynn.card",
  conditional: "dynn.conditional",
} as const;
