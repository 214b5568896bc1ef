/** @file Opens the data of a training run from data specs. A CIFAR archive gives its training
 *  records for training and its test records for the test. */
import { DynnError } from "../../core/errors.js";
import type { ClassMatching } from "../../data/classes.js";
import type { Dataset } from "../../data/dataset.js";
import { splitTraining, type TrainingSplit, thresholdShare } from "../../data/training-split.js";
import { openDataset } from "../data/open.js";
import type { DataSource } from "../data/prefetch.js";

/** The validation records: a share of the training data, or other data. */
export type ValidationChoice =
  | { readonly kind: "share"; readonly share: number }
  /** As many as the choice of thresholds needs. */
  | { readonly kind: "thresholds" }
  | { readonly kind: "spec"; readonly spec: string };

/** The data specs of a run. */
export interface TrainingDataRequest {
  /** The spec of the training data, as {@link openDataset} takes it. */
  readonly data: string;
  /** The records that choose the best epoch. */
  readonly validation: ValidationChoice;
  /** The spec of the test records. Default: the test records of an archive, or none. */
  readonly test?: string | undefined;
  /** Gives labels the numbering, and images the channels, of a network that exists already. Left
   * out: the data's own. */
  readonly fit?: ((data: Dataset) => Dataset) | undefined;
  /** For classes of other data that are not called as in `data`. */
  readonly matching?: ClassMatching | undefined;
}

/** The records for training, validation and test. */
export interface TrainingData extends TrainingSplit {
  /** Where worker threads find the same records. */
  readonly source: DataSource;
}

/** Open and split the data.
 * @throws DynnError the errors of openDataset; 'data/spec', 'data/shape', 'data/label',
 *   'training/config' */
export async function openTrainingData(request: TrainingDataRequest): Promise<TrainingData> {
  const specs = specsOf(request.data, request.test);
  const { fit: fitted = (data) => data } = request;
  const open = async (spec: string): Promise<Dataset> => fitted(await openDataset(spec));
  const whole = await open(specs.train);
  const split = await splitTraining(whole, {
    validation: await chosenValidation(request.validation, whole, open),
    test: specs.test === undefined ? undefined : await open(specs.test),
    testMayOverlap: request.test !== undefined,
    // Data that were fitted have the names of the network; matched again, a map would be applied
    // twice.
    matching: request.fit ? undefined : request.matching,
  });
  const { kept: indices, train } = split;
  const [channels, ...size] = train.shape;
  return { ...split, source: { spec: specs.train, indices, labels: train.labels, channels, size } };
}

async function chosenValidation(
  choice: ValidationChoice,
  whole: Dataset,
  open: (spec: string) => Promise<Dataset>,
): Promise<number | Dataset> {
  switch (choice.kind) {
    case "share":
      return choice.share;
    case "thresholds":
      return thresholdShare(whole.count);
    case "spec":
      return open(choice.spec);
  }
}

const ARCHIVE = /^(cifar100?:.*?)(?:#(train|test))?$/s;

/** @throws DynnError 'data/spec' */
function specsOf(data: string, test: string | undefined): { train: string; test: string | undefined } {
  const [, archive, split] = ARCHIVE.exec(data) ?? [];
  if (archive === undefined) return { train: data, test };
  if (split === "test")
    throw new DynnError(
      "data/spec",
      `data ${data}: these are the records that the finished model is tested on. Train on ${archive}#train.`,
      { data },
    );
  return { train: `${archive}#train`, test: test ?? `${archive}#test` };
}
