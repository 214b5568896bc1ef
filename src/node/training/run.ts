/** @file A training run in its folder, from plan to trained network: checkpoints, metrics, report,
 *  batches from worker threads. */
import { channelStatistics } from "../../data/statistics.js";
import type { Backend } from "../../runtime/backend.js";
import type { ModelCard } from "../../schema/model-card.js";
import { recordOf, type TrainingPlan } from "../../training/run/plan.js";
import type { TrainingRequest } from "../../training/run/request.js";
import { type TrainingResult, train } from "../../training/run/trainer.js";
import type { TrainingState } from "../../training/step/state.js";
import { type DataSource, prefetch } from "../data/prefetch.js";
import { RunFolder } from "./run-folder.js";

/** Where a run is kept, and how it begins. */
export interface TrainingRunOptions {
  /** The folder of the run. It is made when it does not exist. */
  readonly folder: string;
  /** Continue the run in the folder. */
  readonly resume?: boolean | undefined;
  /** Called with each fact that may change the last bits of a resumed run. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** How a run computes. */
export interface TrainOptions
  extends Pick<TrainingRequest, "featureMemory" | "signal" | "onFeatures" | "onStep" | "onEpoch"> {
  /** Runs the steps. */
  readonly backend: Backend;
  /** Where worker threads find the records. When left out, batches are made between the steps. */
  readonly source?: DataSource | undefined;
  /** Threads that make batches. */
  readonly workers?: number | undefined;
  /** Seconds between checkpoints within an epoch. */
  readonly checkpointEvery?: number | undefined;
}

/** A run and its folder. */
export class TrainingRun {
  /** The settings of the run before its first step. */
  readonly plan: TrainingPlan;
  readonly #folder: RunFolder;
  #result: TrainingResult | undefined;

  private constructor(plan: TrainingPlan, folder: RunFolder) {
    this.plan = plan;
    this.#folder = folder;
  }

  /** Begin a run in a folder, or continue the run in it. The folder is locked until the run is
   * finished, fails or is closed.
   * @throws DynnError 'file/unwritable', 'file/full', 'file/locked', 'training/unfinished',
   *   'checkpoint/mismatch', 'checkpoint/format' */
  static async open(plan: TrainingPlan, options: TrainingRunOptions): Promise<TrainingRun> {
    const folder = await RunFolder.open({
      folder: options.folder,
      settings: plan.settings,
      resume: options.resume ?? false,
      render: (epochs) => rendered(recordOf(plan, epochs)),
      warn: options.onWarning ?? (() => {}),
    });
    if (folder.state) await folder.writeCurves(folder.state.epochs);
    return new TrainingRun(plan, folder);
  }

  /** Let other processes use the folder. A second call does nothing. */
  close(): void {
    this.#folder.close();
  }

  /** The state that the run continues from. Undefined for a new run. */
  get state(): TrainingState | undefined {
    return this.#folder.state;
  }

  /** The last state on disk. */
  get saved(): TrainingState | undefined {
    return this.#folder.saved;
  }

  /** The path of the checkpoint. */
  get checkpoint(): string {
    return this.#folder.checkpoint;
  }

  /** The path of the report. */
  get report(): string {
    return this.#folder.report;
  }

  /** Train to the end. When the signal aborts, the current step is finished and a checkpoint is
   * saved.
   * @throws DynnError as `train` does, 'file/full', 'file/unwritable'; the signal's reason */
  async train(options: TrainOptions): Promise<TrainingResult> {
    try {
      return await this.#train(options);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  async #train(options: TrainOptions): Promise<TrainingResult> {
    const { network, data, config } = this.plan;
    const { source, workers = 1, checkpointEvery = 60, ...rest } = options;
    this.#result = await train({
      ...rest,
      model: network.model,
      train: data.train,
      validation: data.validation,
      config,
      stream: source === undefined || workers === 0 ? undefined : await streamOf(this.plan, source, workers),
      resume: this.#folder.state,
      checkpoint: { everySeconds: checkpointEvery, save: this.#folder.save },
    });
    return this.#result;
  }

  /** Write card and report. The run is then finished.
   * @param own the report of a run that is more than a training, and its record as JSON */
  async finish(card: ModelCard, own?: { readonly report: string; readonly record: string }): Promise<void> {
    const test = card.exits.flatMap((e) => e.test ?? []);
    const epochs = this.#result?.epochs ?? [];
    const report = own?.report ?? (await rendered(recordOf(this.plan, epochs, test.length > 0 ? test : undefined)));
    await this.#folder.finish(card, report, own?.record);
    this.close();
  }
}

/** Half the files of a command draw its page, so they are loaded where a page is written. */
async function rendered(record: ReturnType<typeof recordOf>): Promise<string> {
  const { renderTraining } = await import("../../report/training/page.js");
  return renderTraining(record);
}

/** Batches made by worker threads. The workers do not get the signal: after an abort the trainer
 * asks for no further batch. */
async function streamOf(
  { data, config }: TrainingPlan,
  source: DataSource,
  workers: number,
): Promise<NonNullable<TrainingRequest["stream"]>> {
  const { batch, seed, epochs, augment: augmentation } = config;
  const fill = augmentation.cutout === undefined ? [] : (await channelStatistics(data.train)).mean;
  const options = { batch, seed, epochs, augmentation, fill, classes: data.classes, workers };
  return (from) => prefetch(source, { ...options, from });
}
