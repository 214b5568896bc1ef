/** @file A training run as a command shows it: progress, what to say at each epoch, and what to say when it stops before its end. */
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
 * @throws DynnError what opening the folder, training and writing throw; Interrupted with what is kept and how to go on */
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
  { flags, backend, source }: PlannedRun,
  bar: ProgressBar,
  io: Io,
): Promise<TrainingResult> {
  if (run.state) io.err(`going on from ${placeOf(run.state)}\n`);
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
      bar.stop();
      io.err(epochLine(report, run.plan.config.epochs));
    },
  });
}

/** What to throw when a run stops before its end. It says what is kept and how to go on. */
function explained(thrown: unknown, { saved, checkpoint }: TrainingRun, io: Io): unknown {
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
