/** @file The records that a study trains its networks on. Each data set is opened once, when the
 *  first network needs it. */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { SeenImages } from "../../data/apart.js";
import { type Dataset, subset } from "../../data/dataset.js";
import type { StudyFile } from "../../schema/study/file.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import { recordsOf } from "../../schema/study/references.js";
import type { TrainingData } from "../training/data.js";
import { openStudyTraining, rootedSpecs, type TrainingSpecs, trainingDigest } from "./training-data.js";

type PlannedData = StudyPlan["data"][string];

const ARCHIVE = /^cifar100?:[^#]*/;

/** The test records of an archive are not among those to train on. */
const TEST_RECORDS = /^cifar100?:[^#]*(#test)?$/;

/** Data sets to train on, by the name that the study file gives them. */
export class StudyTrainings {
  readonly #opened = new Map<string, Promise<TrainingData>>();

  constructor(
    private readonly file: Pick<StudyFile, "name" | "data">,
    private readonly root: string,
  ) {}

  /** @throws DynnError 'study/value' when the file does not say what to train on, and as
   *  `openTrainingData` */
  open(name: string): Promise<TrainingData> {
    const opened = this.#opened.get(name) ?? openStudyTraining(rootedSpecs(this.#specs(name), this.root));
    this.#opened.set(name, opened);
    return opened;
  }

  /** What a plan says of the records to train on. Undefined: no network is trained on the data.
   * @throws DynnError 'study/value' when the study would attack images that it trains on */
  async planned(name: string, records: Dataset, parts: PlannedData): Promise<PlannedData["training"]> {
    if (!this.#opened.has(name)) return undefined;
    const data = await this.open(name);
    const specs = this.#specs(name);
    if (!TEST_RECORDS.test(parts.spec)) await this.#checkApart(name, data.train, records, parts);
    return { ...specs, name, sha256: await trainingDigest(data), images: data.train.count };
  }

  /** An archive has its own records to train and to test on. Other data are tested on the records
   * of the study. */
  #specs(name: string): TrainingSpecs {
    const { records, training } = this.file.data[name];
    const archive = ARCHIVE.exec(training ?? records)?.[0];
    if (archive !== undefined && ARCHIVE.test(records)) return { spec: archive, test: null };
    if (training !== undefined) return { spec: training, test: records };
    throw new DynnError(
      "study/value",
      `study ${this.file.name}: the data "${name}" do not say which records networks are trained on. Add the field training to the data.`,
      { data: name },
    );
  }

  async #checkApart(name: string, train: Dataset, records: Dataset, parts: PlannedData): Promise<void> {
    const seen = new SeenImages();
    await seen.add(train);
    const asked = [parts.reported, parts.validation].flatMap(recordsOf);
    const fresh = await seen.unseen(subset(records, asked));
    if (fresh.length === asked.length) return;
    throw new DynnError(
      "study/value",
      `study ${this.file.name}: ${asked.length - fresh.length} of ${counted(asked.length, "image")} of the data "${name}" are among those that networks are trained on. Give records that no network has seen.`,
      { data: name },
    );
  }
}
