/** @file Makes training batches ahead on worker threads: the same bytes in the same order as
 *  trainingStream.
 *  ONNX Runtime for Node runs a session on the JavaScript thread, which is blocked for the whole
 *  training step.
 *  So a worker must not need that thread during a step. It opens the data by its spec, reads,
 *  decodes and augments by itself. Its next batches are ordered before the step begins.
 *  A batch is a pure function of its place. Batch i goes to worker i mod N, and the number of
 *  workers does not change the bytes.
 *  The price is one copy of in-memory data per worker (CIFAR: 154 MB).
 *  One worker is enough when making a batch is faster than training on it. More workers help when
 *  large images must be decoded.
 *  Read by: cli (train). */

import { Worker } from "node:worker_threads";
import { DynnError, reasonOf } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { type BatchPlace, places, type StreamOptions, type TrainingBatch } from "../../data/batches.js";
import { fromFailure } from "../failure.js";
import type { Answer, Assignment, DataSource } from "./prefetch-protocol.js";

export { type DataSource, openSource } from "./prefetch-protocol.js";

export interface PrefetchOptions extends StreamOptions {
  readonly workers?: number;
  /** Batches that are ready or in progress while another one is trained on. Each is held in memory.
   */
  readonly ahead?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The batches of a run from `options.from` on, made ahead. The workers start with the first batch
 * and are closed when the iteration ends, however it ends.
 * @throws DynnError 'cli/value' at once when the batch is larger than the data or `workers` is 0.
 *   With a batch: the errors of openDataset and batchReader, 'data/worker' when a worker stops by
 *   itself, the signal's reason when aborted. */
export function prefetch(source: DataSource, options: PrefetchOptions): AsyncGenerator<TrainingBatch> {
  const { workers = 1, ahead = 4, signal, epochs, from, ...batchOptions } = options;
  if (!(Number.isInteger(workers) && workers >= 1 && Number.isInteger(ahead) && ahead >= 0))
    throw new DynnError(
      "cli/value",
      `prefetch: got ${counted(workers, "worker")} and ${ahead} batches ahead, expected integers of at least 1 and 0. Use one worker when in doubt.`,
      { workers, ahead },
    );
  const wanted = places(source.indices.length, { batch: batchOptions.batch, epochs, from });
  return makeAhead(wanted, { source, options: batchOptions }, { workers, ahead, signal });
}

async function* makeAhead(
  wanted: Iterable<BatchPlace>,
  assignment: Assignment,
  { workers, ahead, signal }: { workers: number; ahead: number; signal: AbortSignal | undefined },
): AsyncGenerator<TrainingBatch> {
  signal?.throwIfAborted();
  const makers = Array.from({ length: workers }, () => startMaker(assignment));
  const stopAll = (reason: unknown) => Promise.all(makers.map((maker) => maker.stop(reason)));
  const abort = () => void stopAll(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    const queue: Promise<TrainingBatch>[] = [];
    let ordered = 0;
    for (const place of wanted) {
      queue.push(makers[ordered++ % workers].make(place));
      if (queue.length > ahead) yield await next(queue, signal);
    }
    while (queue.length > 0) yield await next(queue, signal);
  } finally {
    signal?.removeEventListener("abort", abort);
    await stopAll(new Error("bug: a batch was asked for after the end"));
  }
}

async function next(queue: Promise<TrainingBatch>[], signal: AbortSignal | undefined): Promise<TrainingBatch> {
  const batch = await queue.shift();
  // Batches that were ready before the abort must not hide it.
  signal?.throwIfAborted();
  return batch as TrainingBatch;
}

interface Maker {
  readonly make: (place: BatchPlace) => Promise<TrainingBatch>;
  /** End the thread. Batches that are not ready fail with `reason`. */
  readonly stop: (reason: unknown) => Promise<void>;
}

interface Order {
  readonly resolve: (batch: TrainingBatch) => void;
  readonly reject: (reason: unknown) => void;
}

function startMaker(assignment: Assignment): Maker {
  const worker = new Worker(new URL("./prefetch-worker.js", import.meta.url), { workerData: assignment });
  const orders: Order[] = [];
  let end: { readonly reason: unknown } | undefined;
  const fail = (reason: unknown): void => {
    end ??= { reason };
    for (const order of orders.splice(0)) order.reject(end.reason);
  };
  worker.on("message", (answer: Answer) => {
    const order = orders.shift();
    if ("batch" in answer) order?.resolve(answer.batch);
    else order?.reject(fromFailure(answer.failure));
  });
  worker.on("error", (thrown) => fail(stoppedError(reasonOf(thrown), thrown)));
  worker.on("exit", (code) => fail(stoppedError(`exit code ${code}`)));
  return {
    make: (place) => {
      const made = new Promise<TrainingBatch>((resolve, reject) => {
        if (end) return reject(end.reason);
        orders.push({ resolve, reject });
        worker.postMessage(place);
      });
      // The promise may fail long before it is awaited.
      made.catch(() => {});
      return made;
    },
    stop: async (reason) => {
      fail(reason);
      await worker.terminate();
    },
  };
}

const stoppedError = (reason: string, cause?: unknown): DynnError =>
  new DynnError(
    "data/worker",
    `prefetch: a worker thread stopped (${reason}), expected it to run until the end. Check that enough memory is free, and resume the run.`,
    { reason },
    { cause },
  );
