/** @file Splits the records of a training run into training, validation and test records. Accuracy
 *  after each epoch uses the validation records. Only the finished model sees the test records. No
 *  image is in two parts. The split does not depend on the run's seed. So a network that is trained
 *  further with another seed never trains on its validation records. */

import { DynnError } from "../core/errors.js";
import { permutation } from "../core/rng.js";
import { showShape } from "../core/shape.js";
import { counted } from "../core/units.js";
import { SeenImages } from "./apart.js";
import type { ClassMatching } from "./classes.js";
import { checkLabels, type Dataset, subset } from "./dataset.js";
import { fitLabels } from "./fit.js";
import { MIN_VALIDATION } from "./split.js";

/** Options of {@link splitTraining}. */
export interface TrainingSplitRequest {
  /** A share of the records, above 0 and below 1, or other data. */
  readonly validation: number | Dataset;
  /** Data that only the finished model sees. Undefined: none. */
  readonly test?: Dataset | undefined;
  /** Whether the test data can hold training images. The test records of an archive never do. */
  readonly testMayOverlap?: boolean | undefined;
  /** For classes of the other data that are not called as in the data to train on. */
  readonly matching?: ClassMatching | undefined;
}

/** Records for one training run. No image is in two parts. */
export interface TrainingSplit {
  /** The training records. */
  readonly train: Dataset;
  /** The indices of the training records in the whole data. */
  readonly kept: Uint32Array;
  /** The validation records, on which epochs are compared. */
  readonly validation: Dataset;
  /** The test records, which only the finished model sees. Undefined: none. */
  readonly test: Dataset | undefined;
  /** Number of classes. */
  readonly classes: number;
}

/** The share of the records for validation when thresholds are chosen on them: a tenth. On few
 * records it is more, up to three tenths, for 200 records. Fewer than 167 records give 50 of them,
 * up to a half. */
export const thresholdShare = (count: number): number =>
  Math.min(0.5, Math.max(0.1, Math.min(0.3, 200 / count), MIN_VALIDATION / count));

const SPLIT_SEED = 0;

/** Cuts data for a training run.
 * @throws DynnError 'training/config' when a part would be empty
 * @throws DynnError 'data/shape', 'data/label' when parts do not fit together */
export async function splitTraining(whole: Dataset, request: TrainingSplitRequest): Promise<TrainingSplit> {
  const { kept, validation } = cutValidation(whole, request.validation);
  const train = subset(whole, kept);
  const mayShare = typeof request.validation !== "number" || request.testMayOverlap === true;
  const classes = classCount(whole);
  const fitted = (part: Dataset): Dataset => {
    checkShape(part, whole);
    return fitLabels({ name: whole.name, classes, classNames: whole.classes }, part, request.matching);
  };
  const parts = { validation: fitted(validation), test: request.test && fitted(request.test) };
  const apart = mayShare ? await keepApart(train, parts) : parts;
  checkLabels(train, classes);
  return { train, kept, classes, ...apart };
}

/** @throws DynnError 'training/config' when a part would be empty */
function cutValidation(whole: Dataset, choice: number | Dataset): { kept: Uint32Array; validation: Dataset } {
  if (typeof choice !== "number") return { kept: Uint32Array.from(whole.labels.keys()), validation: choice };
  const count = Math.round(choice * whole.count);
  if (count === 0 || count === whole.count)
    throw new DynnError(
      "training/config",
      `${whole.name}: a share of ${choice} of ${counted(whole.count, "record")} leaves ${count === 0 ? "nothing to validate on" : "nothing to train on"}. Give more records, or another validation share.`,
      { share: choice, count: whole.count, options: ["validation"] },
    );
  const order = permutation({ seed: SPLIT_SEED, sample: 0, purpose: "split", step: 0 }, whole.count);
  return {
    kept: order.slice(count).sort(),
    validation: subset(whole, order.subarray(0, count), { name: `${whole.name}#validation` }),
  };
}

type HeldOut = Pick<TrainingSplit, "validation" | "test">;

/** Removes training images from the validation records, and images of both from the test
 * records. */
async function keepApart(train: Dataset, { validation, test }: HeldOut): Promise<HeldOut> {
  const seen = new SeenImages();
  await seen.add(train);
  const unseen = async (part: Dataset): Promise<Dataset> => {
    const fresh = await seen.take(part);
    if (fresh) return fresh;
    throw new DynnError(
      "training/config",
      `${part.name}: all ${counted(part.count, "image is", "images are")} among those trained or validated on. Name other data.`,
      { name: part.name },
    );
  };
  return { validation: await unseen(validation), test: test && (await unseen(test)) };
}

const classCount = ({ classes, labels }: Dataset): number =>
  classes?.length ?? labels.reduce((largest, label) => Math.max(largest, label), 0) + 1;

/** @throws DynnError 'data/shape' */
function checkShape(part: Dataset, { name, shape }: Dataset): void {
  if (part.shape.every((d, i) => d === shape[i])) return;
  throw new DynnError(
    "data/shape",
    `${part.name}: images are ${showShape(part.shape)}, and ${showShape(shape)} in ${name}. Give images of one size (folder:DIR?size=${shape[2]}x${shape[1]} resizes).`,
    { got: part.shape, expected: shape },
  );
}
