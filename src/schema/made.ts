/** @file What is known of the run behind a record: when it began, the command, the machine. These
 *  facts change from run to run. No other field of a record depends on them. */
import { z } from "zod";

const size = z.number().int().min(1);

/** The machine of a run. */
export const machineSchema = z.object({
  cpu: z.string(),
  cores: size,
  runtime: z.string().describe("e.g. node 22.11.0"),
  engine: z.string().describe("e.g. onnxruntime 1.30.0"),
  threads: size.nullable().describe("threads inside one operator; null: the engine's own choice"),
  load: z.number().min(0).describe("mean number of running processes over the minute before the run"),
});
/** The machine of a run. */
export type Machine = z.infer<typeof machineSchema>;

const madeSchema = z.object({
  date: z.string().describe("when the run began, ISO 8601 in UTC"),
  command: z.string().optional().describe("the command line; absent: a program called the library"),
  machine: machineSchema,
});
/** When, how and where a record was made. */
export type Made = z.infer<typeof madeSchema>;

/** The field of records that says how they were made. */
export const madeFields = {
  made: madeSchema.optional().describe("the run; absent where the caller gave no facts about it"),
};

/** The run of a record, where its caller described it. */
export const madeRecord = (made: Made | undefined): { readonly made?: Made } => (made === undefined ? {} : { made });

/** The digest of the file of a model. */
export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional()
  .describe("SHA-256 of the model's file, then of its data files if it has some; absent: the model came from no file");

/** The digest in the record of a model, where the model came from a file. */
export const digestRecord = ({ sha256 }: { readonly sha256?: string | undefined }): { readonly sha256?: string } =>
  sha256 === undefined ? {} : { sha256 };
