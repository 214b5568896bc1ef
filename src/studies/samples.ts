/** @file Makes samples for attacks from the records of a data set: images, labels, and the logits
 *  of a model. */
import { type Sample, samplesOf } from "../attacks/sample.js";
import { type Dataset, readImages } from "../data/dataset.js";
import { fitData } from "../data/fit.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { FullForward } from "../dynamic/run/full-forward.js";
import type { Backend } from "../runtime/backend.js";
import { batchOf } from "./batch.js";

/** Options of {@link samples}. */
export interface SampleOptions {
  /** Runs the model. */
  readonly backend: Backend;
  /** Largest number of images in one run. It changes time and memory. Left out: as many as the
   * memory allows, at most 64. */
  readonly batch?: number | undefined;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of finished images and the number of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Runs a model on all records of a data set, and makes samples for `runAttack`.
 * @returns one sample per record, in file order. `id` is the record's number in `data`. `pixels`
 *  are float32 [c*h*w]. `clean` holds one row [classes] per exit. With gates, `bits` holds one bit
 *  per gate, and `full` the logits [classes] of the network with every gate open
 * @throws DynnError 'data/shape', 'data/label' when the records do not fit the model
 * @throws DynnError 'model/classifier' when an exit holds probabilities: give the model that
 *  `checkOutputs` returns, here and to the attack
 * @throws DynnError 'memory/batch', 'data/value', 'runtime/load', 'runtime/run', or the signal's
 *  reason when aborted
 * @example
 * const data = subset(await openDataset("sample"), [0, 1, 2, 3]);
 * const some = await samples(model, data, { backend: ortNode() }); */
export async function samples(
  model: DynamicModel,
  records: Dataset,
  { backend, batch: given, signal, onProgress }: SampleOptions,
): Promise<Sample[]> {
  const data = fitData(model, records);
  const { batch } = batchOf({ model, backend, batch: given, images: data.count });
  const images = await readImages(data);
  const forward = await FullForward.compile(model, { backend });
  try {
    const logits = await forward.logits(images, { batch, signal, onProgress });
    return samplesOf({ images, labels: data.labels, logits });
  } finally {
    await forward.release();
  }
}
