/** @file The records of a training run: those trained on, those that accuracy is followed on, and those that only the finished
 *  model sees. No image is in two of them. The split does not follow --seed: a network trained further, under whatever seed,
 *  must never meet the images that thresholds are chosen on. */
import { DynnError } from "../../core/errors.js";
import { permutation } from "../../core/rng.js";
import { showShape } from "../../core/shape.js";
import { checkLabels, type Dataset, subset } from "../../data/dataset.js";
import { openDataset } from "../../node/data/open.js";
import type { DataSource } from "../../node/data/prefetch.js";
import { fingerprints } from "../shared/fingerprints.js";

/** Validation records: a share of the training data, or other data. */
export type ValidationChoice =
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "spec"; readonly spec: string };

export interface DataFlags {
  readonly data: string;
  readonly validation: ValidationChoice;
  readonly test?: string | undefined;
}

export interface TrainingData {
  readonly train: Dataset;
  /** Where worker threads find the same records. */
  readonly source: DataSource;
  readonly validation: Dataset;
  readonly test: Dataset | undefined;
  readonly classes: number;
}

const SPLIT_SEED = 0;

/** Open and cut the data. A CIFAR archive is trained on by its training records, and its test records are the test.
 * @throws DynnError what openDataset throws; 'data/spec', 'data/shape', 'data/label', 'training/config' */
export async function openTrainingData({ data, validation: choice, test: testSpec }: DataFlags): Promise<TrainingData> {
  const specs = specsOf(data, testSpec);
  const whole = await openDataset(specs.train);
  const { kept, validation } = await cutValidation(whole, choice);
  const train = subset(whole, kept);
  const test = specs.test === undefined ? undefined : await openDataset(specs.test);
  const mayShare = choice.kind === "spec" || testSpec !== undefined;
  const apart = mayShare ? await keepApart(train, validation, test) : { validation, test };
  const classes = classCount(whole);
  for (const part of [train, apart.validation, apart.test]) if (part) checkPart(part, whole, classes);
  return { train, source: { spec: specs.train, indices: kept }, classes, ...apart };
}

const ARCHIVE = /^(cifar100?:.*?)(?:#(train|test))?$/s;

/** @throws DynnError 'data/spec' */
function specsOf(data: string, test: string | undefined): { train: string; test: string | undefined } {
  const [, archive, split] = ARCHIVE.exec(data) ?? [];
  if (archive === undefined) return { train: data, test };
  if (split === "test")
    throw new DynnError(
      "data/spec",
      `--data ${data}: these are the records that the finished model is tested on. Train on ${archive}#train.`,
      { data },
    );
  return { train: `${archive}#train`, test: test ?? `${archive}#test` };
}

/** @throws DynnError 'training/config' when a part would be empty */
async function cutValidation(
  whole: Dataset,
  choice: ValidationChoice,
): Promise<{ kept: Uint32Array; validation: Dataset }> {
  if (choice.kind === "spec")
    return { kept: Uint32Array.from(whole.labels.keys()), validation: await openDataset(choice.spec) };
  const count = Math.round(choice.share * whole.count);
  if (count === 0 || count === whole.count)
    throw new DynnError(
      "training/config",
      `${whole.name}: a share of ${choice.share} of ${whole.count} records leaves ${count === 0 ? "nothing to validate on" : "nothing to train on"}. Give more records, or another --validation.`,
      { share: choice.share, count: whole.count },
    );
  const order = permutation({ seed: SPLIT_SEED, sample: 0, purpose: "split", step: 0 }, whole.count);
  return {
    kept: order.slice(count).sort(),
    validation: subset(whole, order.subarray(0, count), `${whole.name}#validation`),
  };
}

/** Validation records that are not trained on, and test records that are in neither. */
async function keepApart(
  train: Dataset,
  validation: Dataset,
  test: Dataset | undefined,
): Promise<Pick<TrainingData, "validation" | "test">> {
  const seen = new Set(await fingerprints(train));
  const unseen = async (part: Dataset): Promise<Dataset> => {
    const prints = await fingerprints(part);
    const fresh = [...prints.keys()].filter((i) => !seen.has(prints[i] as string));
    for (const print of prints) seen.add(print);
    if (fresh.length > 0) return subset(part, fresh);
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

/** @throws DynnError 'data/label', 'data/shape' */
function checkPart(part: Dataset, { name, shape }: Dataset, classes: number): void {
  checkLabels(part, classes);
  if (part.shape.every((d, i) => d === shape[i])) return;
  throw new DynnError(
    "data/shape",
    `${part.name}: images are ${showShape(part.shape)}, and ${showShape(shape)} in ${name}. Give images of one size (folder:DIR?size=${shape[2]}x${shape[1]} resizes).`,
    { got: part.shape, expected: shape },
  );
}
