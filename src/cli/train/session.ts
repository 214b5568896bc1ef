/** @file A training run in its folder, from plan to trained network: progress, checkpoints, metrics, report, and what to say when it stops
 *  before its end. Commands that train differ in how they plan and what they deliver. */
import { DynnError } from "../../core/errors.js";
import { channelStatistics } from "../../data/statistics.js";
import { prefetch } from "../../node/data/prefetch.js";
import { renderTraining } from "../../report/training/page.js";
import type { ModelCard } from "../../schema/model-card.js";
import type { EpochReport, TrainingRecord } from "../../schema/training.js";
import { type TrainingRequest, type TrainingResult, train } from "../../training/run/trainer.js";
import type { Io } from "../run.js";
import { Interrupted } from "../shared/interrupt.js";
import { ProgressBar } from "../shared/progress.js";
import { epochLine, placeOf, stepLines, trainingRecord } from "./output.js";
import { type Plan, runFolderOf } from "./plan.js";
import { RunFolder } from "./run.js";

/** What a command makes of a trained network. */
export interface Session {
  readonly plan: Plan;
  readonly result: TrainingResult;
  readonly bar: ProgressBar;
  /** The run is finished: write card and report.
   * @returns the path of the report */
  readonly finish: (card: ModelCard) => Promise<string>;
}

/** Train in the run folder, then deliver.
 * @throws DynnError what opening the folder, training and delivering throw; Interrupted with what is kept and how to go on */
export async function trainInFolder(plan: Plan, io: Io, deliver: (session: Session) => Promise<void>): Promise<void> {
  const folder = await RunFolder.open({
    folder: runFolderOf(plan.flags),
    settings: plan.settings,
    resume: plan.flags.resume ?? false,
    render: (epochs) => renderTraining(recordOf(plan, epochs)),
    warn: io.err,
  });
  if (folder.state) await folder.writeCurves(folder.state.epochs);
  const bar = new ProgressBar();
  try {
    const result = await runTraining(plan, folder, bar, io);
    const finish = async (card: ModelCard): Promise<string> => {
      const test = card.exits.flatMap((e) => e.test ?? []);
      await folder.finish(card, renderTraining(recordOf(plan, result.epochs, test.length > 0 ? test : undefined)));
      return folder.report;
    };
    await deliver({ plan, result, bar, finish });
  } catch (thrown) {
    bar.stop();
    throw leave(thrown, folder, io);
  } finally {
    bar.stop();
  }
}

async function runTraining(plan: Plan, folder: RunFolder, bar: ProgressBar, io: Io): Promise<TrainingResult> {
  const { network, data, config, backend, flags } = plan;
  const { state } = folder;
  if (state) io.err(`going on from ${placeOf(state)}\n`);
  const lineOf = stepLines(() => performance.now());
  return train({
    model: network.model,
    train: data.train,
    validation: data.validation,
    config,
    backend,
    stream: flags.workers === 0 ? undefined : await streamOf(plan),
    featureMemory: flags.featureMemory,
    resume: state,
    signal: io.signal,
    onFeatures: (done, total) => bar.update({ phase: "features", name: "running the backbone", done, total }),
    onStep: (report) => bar.update(lineOf(report)),
    onEpoch: (report) => {
      bar.stop();
      io.err(epochLine(report, config.epochs));
    },
    checkpoint: { everySeconds: flags.checkpointEvery, save: folder.save },
  });
}

/** Batches made by worker threads. They are not told of Ctrl-C: the trainer stops asking after its step. */
async function streamOf({ data, config, flags }: Plan): Promise<NonNullable<TrainingRequest["stream"]>> {
  const { batch, seed, epochs, augment: augmentation } = config;
  const fill = augmentation.cutout === undefined ? [] : (await channelStatistics(data.train)).mean;
  const options = { batch, seed, epochs, augmentation, fill, classes: data.classes, workers: flags.workers };
  return (from) => prefetch(data.source, { ...options, from });
}

/** What to throw when a run stops before its end; says what is kept and how to go on. */
function leave(thrown: unknown, { saved, checkpoint }: RunFolder, io: Io): unknown {
  const kept = saved ? `The run is kept up to ${placeOf(saved)}` : "Nothing was trained yet";
  const goOn = "the same command with --resume goes on from there.";
  if (thrown instanceof Interrupted) return new Interrupted(`Interrupted. ${kept}: ${goOn}`);
  const again = thrown instanceof DynnError && thrown.code === "training/diverged";
  if (saved)
    io.err(
      `${kept} in ${checkpoint}${again ? `: dynn train --init takes its weights into a new run.` : `; ${goOn}`}\n`,
    );
  return thrown;
}

const recordOf = (
  { network, data, config, settings }: Plan,
  epochs: readonly EpochReport[],
  test?: TrainingRecord["test"],
): TrainingRecord =>
  trainingRecord(
    {
      model: network.name,
      data: data.train.name,
      recipe: config.recipe,
      exits: network.model.exits.map((e) => e.name),
      planned: config.epochs,
      validationCount: data.validation.count,
    },
    settings,
    epochs,
    test,
  );
