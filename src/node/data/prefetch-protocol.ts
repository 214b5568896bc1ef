/** @file The messages between the training thread and the threads that make batches, and the form
 *  in which an error crosses over.
 *  Read by: prefetch, prefetch-worker. */
import { DynnError, type ErrorCode, type ErrorDetail, reasonOf } from "../../core/errors.js";
import type { BatchOptions, TrainingBatch } from "../../data/batches.js";
import { withChannels } from "../../data/channels.js";
import { type Dataset, subset } from "../../data/dataset.js";
import { openDataset } from "./open.js";

/** Records that any thread can open by itself. */
export interface DataSource {
  /** A data spec, as {@link openDataset} takes it. */
  readonly spec: string;
  /** The records to use, in this order. */
  readonly indices: Uint32Array;
  /** Their labels, in this order. Left out: as the data say. */
  readonly labels?: Int32Array | undefined;
  /** Number of channels that the images get. Left out: as the data have. */
  readonly channels?: number | undefined;
}

/** The data that a thread starts with. Each later message is a place in the stream. Answers come in
 * the order of the messages. */
export interface Assignment {
  readonly source: DataSource;
  readonly options: BatchOptions;
}

export type Answer = { readonly batch: TrainingBatch } | { readonly failure: Failure };

/** An error as plain data: a thread boundary keeps neither the class nor the code. */
interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** The dataset of a source.
 * @throws as openDataset */
export const openSource = async ({ spec, indices, labels, channels }: DataSource): Promise<Dataset> => {
  const all = await openDataset(spec);
  const data = subset(withChannels(all, channels), indices);
  return labels ? { ...data, labels } : data;
};

export function toFailure(thrown: unknown): Failure {
  if (!(thrown instanceof DynnError)) return { code: undefined, message: reasonOf(thrown), detail: {} };
  return { code: thrown.code, message: thrown.message, detail: thrown.detail };
}

/** The error that {@link toFailure} took apart. Its constructor adds the code to the text again. */
export function fromFailure({ code, message, detail }: Failure): Error {
  if (code === undefined) return new Error(message);
  return new DynnError(code, message.slice(0, -` [${code}]`.length), detail);
}
