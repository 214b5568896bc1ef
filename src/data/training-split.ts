/** @file The records of a training run: those trained on, those that accuracy is followed on, and those that only the finished
 *  model sees. No image is in two of them. The split does not follow the run's seed: a network that is trained further, under
 *  whatever seed, must never meet the images that thresholds are chosen on. */
import { DynnError } from "../core/errors.js";
import { permutation } from "../core/rng.js";
import { showShape } from "../core/shape.js";
import { SeenImages } from "./apart.js";
import type { ClassMatching } from "./classes.js";
import { checkLabels, type Dataset, subset } from "./dataset.js";
import { fitLabels } from "./fit.js";

/** How the data of a training run are cut. */
export interface TrainingSplitRequest {
  /** A share of the records, above 0 and below 1, or other data. */
  readonly validation: number | Dataset;
  /** Data that only the finished model sees. */
  readonly test?: Dataset | undefined;
  /** Whether the test data may hold images that are trained on. An archive's own test records never do. */
  readonly testMayOverlap?: boolean | undefined;
  /** For classes of the other data that are not called as in the data to train on. */
  readonly matching?: ClassMatching | undefined;
}

/** Records for one training run, no image in two parts. */
export interface TrainingSplit {
  /** Records that are trained on. */
  readonly train: Dataset;
  /** The records of the whole that are trained on. */
  readonly kept: Uint32Array;
  /** Records that epochs are compared on. */
  readonly validation: Dataset;
  /** Records that only the finished model sees; undefined: none. */
  readonly test: Dataset | undefined;
  /** Number of classes. */
  readonly classes: number;
}

const SPLIT_SEED = 0;

/** Cut data for a training run.
 * @throws DynnError 'training/config' when a part would be empty; 'data/shape', 'data/label' when parts do not fit together */
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
      `${whole.name}: a share of ${choice} of ${whole.count} records leaves ${count === 0 ? "nothing to validate on" : "nothing to train on"}. Give more records, or another validation share.`,
      { share: choice, count: whole.count, options: ["validation"] },
    );
  const order = permutation({ seed: SPLIT_SEED, sample: 0, purpose: "split", step: 0 }, whole.count);
  return {
    kept: order.slice(count).sort(),
    validation: subset(whole, order.subarray(0, count), `${whole.name}#validation`),
  };
}

type HeldOut = Pick<TrainingSplit, "validation" | "test">;

/** Validation records that are not trained on, and test records that are in neither. */
async function keepApart(train: Dataset, { validation, test }: HeldOut): Promise<HeldOut> {
  const seen = new SeenImages();
  await seen.add(train);
  const unseen = async (part: Dataset): Promise<Dataset> => {
    const fresh = await seen.take(part);
    if (fresh) return fresh;
    throw new DynnError(
      "training/config",
      `${part.name}: all ${part.count} images are among those trained or validated on. Name other data.`,
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
