/** @file The model card: the origin and the accuracy of a trained model, as JSON in the `dynn.card`
 *  metadata of its file. A card holds neither a date nor a time, so that the same run gives the
 *  same file. Source: Mitchell et al., "Model cards for model reporting", FAT* 2019 (which facts a
 *  card needs). */
import { z } from "zod";
import { count, notesSchema } from "./numbers.js";
import { RECIPES } from "./training.js";

const partSchema = z.strictObject({ name: z.string(), count });
/** The cost by which exits were placed: counted MACs, or measured time of places and heads, as
 * shares of the backbone's time. */
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

/** Number of right answers, and number of records. */
const answersSchema = z.strictObject({ right: count, count });

/** Number of records for which a gate is open, and of all records. */
const openSchema = z.strictObject({ open: count, count });

/** Checks a model card. */
export const modelCardSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** The name of an architecture, or the file of the network that was trained further. */
  architecture: z.string(),
  /** Factor on the architecture's channels. Null for a file. */
  width: z.number().nullable(),
  /** The source of the first weights. Null for random weights. */
  init: z.string().nullable(),
  data: z.strictObject({
    train: partSchema,
    validation: partSchema,
    test: partSchema.nullable(),
    /** How classes were matched, and what was passed over when the data were read. */
    notes: notesSchema,
  }),
  /** The configuration of the run, as JSON. The configuration, the data and the model decide the
   * weights. */
  training: z.looseObject({
    recipe: z.enum(RECIPES),
    epochs: count,
    batch: count,
    seed: count,
    optimizer: z.looseObject({ kind: z.string() }),
  }),
  /** How exits were placed in a conversion. */
  placement: placementSchema.optional(),
  /** Number of elements in all parameters that training can change. */
  parameters: count,
  exits: z
    .array(
      z.strictObject({
        name: z.string(),
        /** Multiply-accumulates of one image up to and including this exit, with earlier heads. */
        macs: count,
        costFraction: z.number(),
        validation: answersSchema,
        test: answersSchema.nullable(),
      }),
    )
    .min(1),
  /** The gates, and for how many records each is open. Left out without gates. */
  gates: z
    .array(
      z.strictObject({
        name: z.string(),
        /** Multiply-accumulates that one image saves when the gate is closed. */
        macs: count,
        validation: openSchema,
        test: openSchema.nullable(),
      }),
    )
    .optional(),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
});

/** The facts about the training of a model. */
export type ModelCard = z.infer<typeof modelCardSchema>;
