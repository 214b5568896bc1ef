/** @file Chooses the number of samples in one run from the memory that a graph needs and the memory
 *  that is free. */
import { DynnError } from "../core/errors.js";
import { showBytes } from "../core/units.js";
import { checkWhole } from "../core/whole.js";
import type { Graph } from "../graph/graph.js";
import { type BytesAt, memoryOf } from "../graph/memory.js";
import { opTable } from "../ops/table.js";
import type { Backend } from "./backend.js";

/** Bytes that one run should take at most. Larger batches were not faster for large images. */
const AIM = 2 ** 30;
/** The share of the free memory that runs may take. */
const SHARE = 1 / 4;
/** The largest batch that is chosen. */
export const LARGEST_BATCH = 64;

/** What the runs of a study need. */
export interface BatchRequest {
  /** The model's name in errors. */
  readonly name: string;
  /** The largest graph that runs. */
  readonly graph: Graph;
  /** Number of sessions that are open together. Each keeps the memory of its runs. Default: 1. */
  readonly sessions?: number | undefined;
  /** Bytes that are in use whatever the batch, e.g. for images. Default: 0. */
  readonly held?: number | undefined;
  /** The batch that the caller gives. Left out: the batch is chosen. */
  readonly batch?: number | undefined;
  /** Knows how much memory is free. */
  readonly backend: Pick<Backend, "freeMemory">;
}

/** A batch, and the memory that is expected. */
export interface BatchChoice {
  /** Samples in one run. */
  readonly batch: number;
  /** Whether it was chosen here. */
  readonly chosen: boolean;
  /** Bytes of one sample. Undefined when the sizes of the graph are open. */
  readonly bytesPerSample?: number;
  /** Bytes of one run, with the weights. */
  readonly bytes?: number;
  /** Bytes that all sessions together may take. Undefined when the free memory is not known. */
  readonly room?: number;
}

/** Chooses a batch: a power of two of at most {@link LARGEST_BATCH}. It is the largest for which a
 * run takes at most 1 GiB, and all sessions together at most a quarter of the free memory. A given
 * batch is taken.
 * @throws DynnError 'memory/batch' when one run would not fit into the free memory, 'cli/value'
 *   when the given batch is not a whole number of at least 1 */
export function batchFor(request: BatchRequest): BatchChoice {
  const { graph, batch: given, backend } = request;
  if (given !== undefined) checkWhole("batch", given);
  const bytesAt = memoryOf(graph, opTable);
  if (!bytesAt) return { batch: given ?? LARGEST_BATCH, chosen: given === undefined };
  const free = backend.freeMemory?.();
  const batch = given ?? chosenBatch(bytesAt, free, request);
  if (free !== undefined) checkFits(batch, bytesAt, free, request);
  return {
    batch,
    chosen: given === undefined,
    bytesPerSample: bytesAt(batch) - bytesAt(batch - 1),
    bytes: bytesAt(batch),
    ...(free === undefined ? {} : { room: roomOf(free, request) }),
  };
}

function chosenBatch(bytesAt: BytesAt, free: number | undefined, request: BatchRequest): number {
  const share = free === undefined ? Number.POSITIVE_INFINITY : roomOf(free, request) / (request.sessions ?? 1);
  return largestBatch(bytesAt, Math.min(AIM, share));
}

const roomOf = (free: number, { held = 0 }: BatchRequest): number => (free - held) * SHARE;

/** The largest power of two whose run fits, at least 1. */
function largestBatch(bytesAt: BytesAt, room: number): number {
  let batch = LARGEST_BATCH;
  while (batch > 1 && bytesAt(batch) > room) batch /= 2;
  return batch;
}

/** Refuses a graph of a fixed batch, such as a training step, that would not fit into the free
 * memory.
 * @throws DynnError 'memory/batch' */
export function checkRoom({ name, graph, batch, backend }: BatchRequest & { readonly batch: number }): void {
  const [needed, free] = [memoryOf(graph, opTable)?.(batch), backend.freeMemory?.()];
  if (needed === undefined || free === undefined || needed <= free) return;
  const fits = Math.floor((batch * free) / needed);
  throw tooLarge({ name, batch, needed, free, fits: fits > 0 ? fits : undefined });
}

/** @throws DynnError 'memory/batch' */
function checkFits(batch: number, bytesAt: BytesAt, free: number, { name, held = 0 }: BatchRequest): void {
  const needed = held + bytesAt(batch);
  if (needed <= free) return;
  const fits = batch > 1 && held + bytesAt(1) <= free ? largestBatch(bytesAt, free - held) : undefined;
  throw tooLarge({ name, batch, needed, free, fits, held });
}

interface Refused {
  readonly name: string;
  readonly batch: number;
  /** Bytes. */
  readonly needed: number;
  readonly free: number;
  readonly held?: number;
  /** A batch that fits. Undefined: none does. */
  readonly fits: number | undefined;
}

function tooLarge({ held = 0, ...detail }: Refused): DynnError {
  const { name, batch, needed, free, fits } = detail;
  const images = held > 0 ? `, ${showBytes(held)} of them for all images` : "";
  const advice =
    fits === undefined
      ? "Give fewer images, smaller images or a smaller model, or use a machine with more memory."
      : `Give a batch of ${fits}.`;
  return new DynnError(
    "memory/batch",
    `${name}: a batch of ${batch} needs about ${showBytes(needed)} of memory${images}, but ${showBytes(free)} are free. ${advice}`,
    { ...detail, options: [fits === undefined ? "samples" : "batch"] },
  );
}
