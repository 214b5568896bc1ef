/** @file The records that networks of a study are trained on, by their digest. */
import { sha256 } from "../../core/digest.js";
import { fingerprints } from "../../data/apart.js";
import type { Dataset } from "../../data/dataset.js";
import type { TrainingSplit } from "../../data/training-split.js";
import { openTrainingData, type TrainingData } from "../training/data.js";
import { dataFromRoot } from "./paths.js";

/** Data specs of records to train on. */
export interface TrainingSpecs {
  readonly spec: string;
  /** Null: the test records of the archive. */
  readonly test: string | null;
}

/** The specs with paths from the folder of the study. */
export const rootedSpecs = ({ spec, test }: TrainingSpecs, root: string): TrainingSpecs => ({
  spec: dataFromRoot(spec, root),
  test: test === null ? null : dataFromRoot(test, root),
});

/** Opens records to train on, with the split of the zoo: a tenth is for validation.
 * @throws DynnError as `openTrainingData` */
export const openStudyTraining = ({ spec, test }: TrainingSpecs): Promise<TrainingData> =>
  openTrainingData({ data: spec, validation: { kind: "share", share: 0.1 }, ...(test === null ? {} : { test }) });

/** The digest of all parts: shape, classes, labels and images. */
export async function trainingDigest({ train, validation, test }: TrainingSplit): Promise<string> {
  const parts: unknown[] = [];
  for (const part of [train, validation, test]) parts.push(part ? await partDigest(part) : null);
  return digestOf(parts);
}

const partDigest = async (part: Dataset): Promise<string> =>
  digestOf([part.shape, part.classes ?? null, [...part.labels], await fingerprints(part)]);

const digestOf = (value: unknown): string => sha256(new TextEncoder().encode(JSON.stringify(value)));
