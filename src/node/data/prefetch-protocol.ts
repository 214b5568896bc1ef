/** @file The messages between the training thread and the threads that make batches.
 *  Read by: prefetch, prefetch-worker. */
import type { BatchOptions, TrainingBatch } from "../../data/batches.js";
import { withChannels } from "../../data/channels.js";
import { type Dataset, subset } from "../../data/dataset.js";
import type { Failure } from "../failure.js";
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
  /** Height and width that the images get. Left out: as the data have. */
  readonly size?: readonly [height: number, width: number] | undefined;
}

/** The data that a thread starts with. Each later message is a place in the stream. Answers come in
 * the order of the messages. */
export interface Assignment {
  readonly source: DataSource;
  readonly options: BatchOptions;
}

export type Answer = { readonly batch: TrainingBatch } | { readonly failure: Failure };

/** The dataset of a source.
 * @throws as openDataset */
export const openSource = async ({ spec, indices, labels, channels, size }: DataSource): Promise<Dataset> => {
  const opened = await openDataset(spec);
  const all = size ? (opened.resized?.(...size) ?? opened) : opened;
  const data = subset(withChannels(all, channels), indices);
  return labels ? { ...data, labels } : data;
};
