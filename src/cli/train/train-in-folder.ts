/** @file Runs training for a command: shows progress, prints a line per epoch, and says how to
 *  continue after a stop. */
import { DynnError } from "../../core/errors.js";
import { TrainingRun } from "../../node/training/run.js";
import type { TrainingResult } from "../../training/run/trainer.js";
import { Interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { ProgressBar } from "../shared/progress.js";
import { epochLine, placeOf, stepLines } from "./output.js";
import { type PlannedRun, runFolderOf } from "./plan.js";

/** A trained network, before the command writes its output. */
export interface FinishedTraining {
  readonly run: TrainingRun;
  readonly result: TrainingResult;
  readonly bar: ProgressBar;
}

/** Train in the run folder, then let the command write its output.
 * @throws DynnError the errors of opening the folder, training and writing; Interrupted with the
 *   saved state and how to continue */
export async function trainInFolder(
  planned: PlannedRun,
  io: Io,
  write: (finished: FinishedTraining) => Promise<void>,
): Promise<void> {
  const { plan, flags } = planned;
  const run = await TrainingRun.open(plan, { folder: runFolderOf(flags), resume: flags.resume, onWarning: io.err });
  const bar = new ProgressBar();
  try {
    const result = await runTraining(run, planned, bar, io);
    await write({ run, result, bar });
  } catch (thrown) {
    bar.stop();
    throw explained(thrown, run, io);
  } finally {
    bar.stop();
    run.close();
  }
}

async function runTraining(
  run: TrainingRun,
  { flags, backend, source, lines }: PlannedRun,
  bar: ProgressBar,
  io: Io,
): Promise<TrainingResult> {
  if (run.state) io.err(`continuing from ${placeOf(run.state)}\n`);
  const lineOf = stepLines(() => performance.now());
  return run.train({
    backend,
    source,
    workers: flags.workers,
    featureMemory: flags.featureMemory,
    checkpointEvery: flags.checkpointEvery,
    signal: io.signal,
    onFeatures: (done, total) => bar.update({ phase: "features", name: "running the backbone", done, total }),
    onStep: (report) => bar.update(lineOf(report)),
    onEpoch: (report) => {
      const { epochs } = run.plan.config;
      if (!hasLine(report.epoch, epochs, lines)) return;
      bar.stop();
      io.err(epochLine(report, epochs));
    },
  });
}

/** Whether an epoch gets a line: the first, the last, and evenly spaced ones between them. */
const hasLine = (epoch: number, epochs: number, lines = epochs): boolean =>
  epoch === 0 || epoch === epochs - 1 || (epoch + 1) % Math.ceil(epochs / lines) === 0;

/** The error of a run that stops before its end. It says what is saved and how to continue. */
function explained(thrown: unknown, { saved, checkpoint }: TrainingRun, io: Io): unknown {
  const kept = saved ? `The run is saved up to ${placeOf(saved)}` : "Nothing was trained yet";
  const goOn = "the same command with --resume continues from there.";
  if (thrown instanceof Interrupted) return new Interrupted(`Interrupted. ${kept}: ${goOn}`);
  const again = thrown instanceof DynnError && thrown.code === "training/diverged";
  if (saved)
    io.err(
      `${kept} in ${checkpoint}${again ? `: use dynn train --init to begin a new run with its weights.` : `; ${goOn}`}\n`,
    );
  return thrown;
}
