/** @file Samples for attacks: the records of a data set with what a model says of them. */
import { type Sample, samplesOf } from "../attacks/attack.js";
import { type Dataset, readImages } from "../data/dataset.js";
import { fitData } from "../data/fit.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { Forward } from "../dynamic/run/forward.js";
import type { Backend } from "../runtime/backend.js";

/** How a model is run on records. */
export interface SampleOptions {
  /** Runs the model. */
  readonly backend: Backend;
  /** Most images in one run, left out: 64. Changes time and memory. */
  readonly batch?: number | undefined;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many images are done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const DEFAULT_BATCH = 64;

/** Run a model on all records of a data set: what `runAttack` takes.
 * @returns one sample per record, in file order; its `id` is the record's number in `data`, its
 *          `pixels` are float32 [c*h*w], its `clean` is one row [classes] per exit
 * @throws DynnError 'data/shape', 'data/label' when the records do not fit the model, 'data/value',
 *         'runtime/load', 'runtime/run', or the signal's reason when aborted
 * @example
 * const data = subset(await openDataset("sample"), [0, 1, 2, 3]);
 * const some = await samples(model, data, { backend: ortNode() }); */
export async function samples(
  model: DynamicModel,
  given: Dataset,
  { backend, batch = DEFAULT_BATCH, signal, onProgress }: SampleOptions,
): Promise<Sample[]> {
  const data = fitData(model, given);
  const images = await readImages(data);
  const forward = await Forward.compile(model, backend);
  try {
    const logits = await forward.logits(images, { batch, signal, onProgress });
    return samplesOf({ images, labels: data.labels, logits });
  } finally {
    await forward.release();
  }
}
