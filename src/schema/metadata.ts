/** @file The `dynn.*` metadata of a model file, one JSON value per key. */
import { z } from "zod";
import type { Normalization } from "./normalization.js";
import type { Policy } from "./policy.js";

export const exitsSchema = z.array(z.strictObject({ name: z.string().min(1), logits: z.string().min(1) })).min(1);
export const classesSchema = z.array(z.string()).min(2);

/** The metadata of a model file. A field is undefined when the file does not have its key. */
export interface ModelMetadata {
  /** Name and logits of each exit, in order. */
  readonly exits: z.infer<typeof exitsSchema> | undefined;
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
  policy: "dynn.policy",
  normalization: "dynn.normalization",
  classes: "dynn.classes",
  card: "dynn.card",
  conditional: "dynn.conditional",
} as const;
