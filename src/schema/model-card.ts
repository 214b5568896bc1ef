/** @file The model card: what a trained model was made from and how well it does, as JSON in the `dynn.card` metadata of
 *  its file. A card holds no date and no time, so that the same run gives the same file.
 *  Source: Mitchell et al., "Model cards for model reporting", FAT* 2019 (which facts a card needs). */
import { z } from "zod";
import { count } from "./numbers.js";
import { RECIPES } from "./training.js";

const partSchema = z.strictObject({ name: z.string(), count });
/** What exits were placed by: counted MACs, or the time of places and heads on the machine, as shares of the backbone's. */
export const placementSchema = z.discriminatedUnion("cost", [
  z.strictObject({ cost: z.literal("macs") }),
  z.strictObject({
    cost: z.literal("time"),
    /** Images in one run. */
    batch: count,
    places: z.array(z.strictObject({ cut: z.string(), fraction: z.number(), headFraction: z.number() })),
    /** Time of a slow run over that of a fast one. More than 1.5 is not to be trusted. */
    roundSpread: z.number().min(1).optional(),
  }),
]);
export type Placement = z.infer<typeof placementSchema>;

/** Right answers among all of them. */
const answersSchema = z.strictObject({ right: count, count });

/** Checks a model card. */
export const modelCardSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** A name that dynn builds, or the file of the network that was trained further. */
  architecture: z.string(),
  /** Factor on the architecture's channels; null for a file. */
  width: z.number().nullable(),
  /** What the weights were first taken from; null for random ones. */
  init: z.string().nullable(),
  data: z.strictObject({ train: partSchema, validation: partSchema, test: partSchema.nullable() }),
  /** The configuration of the run, as JSON: everything but the data and the model that decides the weights. */
  training: z.looseObject({
    recipe: z.enum(RECIPES),
    epochs: count,
    batch: count,
    seed: count,
    optimizer: z.looseObject({ kind: z.string() }),
  }),
  /** Of a conversion. */
  placement: placementSchema.optional(),
  /** Numbers that training may change. */
  parameters: count,
  exits: z
    .array(
      z.strictObject({
        name: z.string(),
        /** Multiply-accumulates of one image up to and including this exit, earlier heads included. */
        macs: count,
        costFraction: z.number(),
        validation: answersSchema,
        test: answersSchema.nullable(),
      }),
    )
    .min(1),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
});

/** What a trained model says of its training. */
export type ModelCard = z.infer<typeof modelCardSchema>;
