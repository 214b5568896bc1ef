/** @file Makes training batches: shuffled, augmented, checked, from any step on. A batch is a pure
 *  function of (dataset, options, epoch, step), see {@link batchReader}. So a resumed run sees the
 *  same bytes, and workers can make batches in any order. The last records of an epoch are left out
 *  when they do not fill a batch. The next epoch has another order, so it leaves out other
 *  records. */

import { DynnError } from "../core/errors.js";
import { checkPixels } from "../core/pixels.js";
import { permutation } from "../core/rng.js";
import { sizeOf } from "../core/shape.js";
import { counted } from "../core/units.js";
import { type Augmentation, augment, checkAugmentation } from "./augment.js";
import { checkLabels, type Dataset } from "./dataset.js";

/** A batch's place in a run. */
export interface BatchPlace {
  /** Epochs before the batch. */
  readonly epoch: number;
  /** Batches before the batch in its epoch. */
  readonly step: number;
}

export interface TrainingBatch extends BatchPlace {
  /** float32 [n,c,h,w] in [0,1], augmented. */
  readonly images: Float32Array<ArrayBuffer>;
  /** int64 [n]. */
  readonly labels: BigInt64Array<ArrayBuffer>;
  /** Record number of each row, [n]. */
  readonly indices: Uint32Array<ArrayBuffer>;
}

export interface BatchOptions {
  /** Images per batch. */
  readonly batch: number;
  /** The seed of order and augmentation. */
  readonly seed: number;
  /** Number of classes of the model. Every label is checked once against this number. */
  readonly classes: number;
  /** How images are changed. */
  readonly augmentation: Augmentation;
  /** Colour of the cutout, one value per channel: the mean of the data set (see statistics). */
  readonly fill: readonly number[];
}

/** Options of a run from its batch `from` to the end of epoch `epochs - 1`. */
export interface StreamOptions extends BatchOptions {
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** The first batch. */
  readonly from: BatchPlace;
}

/** The order of an epoch's records. */
export const epochOrder = (count: number, seed: number, epoch: number): Uint32Array =>
  permutation({ seed, sample: 0, purpose: "shuffle", step: epoch }, count);

/** Number of full batches in `count` records. */
export const stepsPerEpoch = (count: number, batch: number): number => Math.floor(count / batch);

/** The places of a run's batches, from `options.from` on.
 * @param count number of records in the dataset
 * @throws DynnError 'cli/value' when a batch is larger than the dataset */
export function places(count: number, options: Pick<StreamOptions, "batch" | "epochs" | "from">): Iterable<BatchPlace> {
  checkBatch(count, options.batch);
  return generatePlaces(stepsPerEpoch(count, options.batch), options);
}

function* generatePlaces(
  steps: number,
  { epochs, from }: Pick<StreamOptions, "epochs" | "from">,
): Generator<BatchPlace> {
  for (let epoch = from.epoch; epoch < epochs; epoch++)
    for (let step = epoch === from.epoch ? from.step : 0; step < steps; step++) yield { epoch, step };
}

/** Makes the batch of any place. Keeps the order of one epoch, that of the last call.
 * @returns a function that throws DynnError 'data/value' when a pixel is NaN or outside [0,1], and
 *  every error of the dataset
 * @throws DynnError 'data/label' when a label is not a class index
 * @throws DynnError 'cli/value' when the batch size or the augmentation does not fit the dataset */
export function batchReader(dataset: Dataset, options: BatchOptions): (place: BatchPlace) => Promise<TrainingBatch> {
  const { batch, seed, augmentation, fill } = options;
  checkBatch(dataset.count, batch);
  checkLabels(dataset, options.classes);
  checkAugmentation(augmentation, dataset.shape, fill);
  let last: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  return async ({ epoch, step }) => {
    if (last?.epoch !== epoch) last = { epoch, order: epochOrder(dataset.count, seed, epoch) };
    const indices = new Uint32Array(last.order.subarray(step * batch, (step + 1) * batch));
    const images = new Float32Array(batch * sizeOf(dataset.shape));
    await dataset.read(indices, images);
    checkPixels({ name: dataset.name, pixels: images }, sizeOf(dataset.shape), indices);
    augment(images, dataset.shape, { augmentation, fill, seed, epoch, samples: indices });
    return { epoch, step, images, labels: BigInt64Array.from(indices, (i) => BigInt(dataset.labels[i])), indices };
  };
}

/** The full batches of one epoch, from step `fromStep` on.
 * @throws DynnError as {@link batchReader} at the call, and 'data/value' with a batch */
export const batches = (
  dataset: Dataset,
  { epoch, fromStep = 0, ...options }: BatchOptions & { readonly epoch: number; readonly fromStep?: number },
): AsyncGenerator<TrainingBatch> =>
  trainingStream(dataset, { ...options, epochs: epoch + 1, from: { epoch, step: fromStep } });

/** The batches of a run over all its epochs, from any place on.
 * @throws DynnError as {@link batchReader} at the call, and 'data/value' with a batch */
export function trainingStream(dataset: Dataset, options: StreamOptions): AsyncGenerator<TrainingBatch> {
  const read = batchReader(dataset, options);
  return readEach(places(dataset.count, options), read);
}

async function* readEach(
  wanted: Iterable<BatchPlace>,
  read: (place: BatchPlace) => Promise<TrainingBatch>,
): AsyncGenerator<TrainingBatch> {
  for (const place of wanted) yield await read(place);
}

function checkBatch(count: number, batch: number): void {
  if (Number.isInteger(batch) && batch >= 1 && batch <= count) return;
  throw new DynnError(
    "cli/value",
    `batch: got ${counted(batch, "image")}, expected an integer from 1 to ${count}, the records to train on. Choose a smaller batch, or give more data.`,
    { batch, count },
  );
}
