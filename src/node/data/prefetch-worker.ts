/** @file The worker thread of prefetch. It opens the source at the first message, then makes one
 *  batch after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { type BatchPlace, batchReader, type TrainingBatch } from "../../data/batches.js";
import { toFailure } from "../failure.js";
import { type Answer, type Assignment, openSource } from "./prefetch-protocol.js";

const port = parentPort;
if (!port) throw new Error("bug: prefetch-worker runs as a worker thread only");
const { source, options } = workerData as Assignment;

let reader: Promise<(place: BatchPlace) => Promise<TrainingBatch>> | undefined;
const openReader = async () => batchReader(await openSource(source), options);

async function answer(place: BatchPlace): Promise<void> {
  try {
    reader ??= openReader();
    const batch = await (await reader)(place);
    // The buffers are moved, not copied: the pixels have one owner at any time.
    port?.postMessage({ batch } satisfies Answer, [batch.images.buffer, batch.labels.buffer, batch.indices.buffer]);
  } catch (thrown) {
    port?.postMessage({ failure: toFailure(thrown) } satisfies Answer);
  }
}

let turn = Promise.resolve();
port.on("message", (place: BatchPlace) => {
  turn = turn.then(() => answer(place));
});
