/** @file Trains in a folder with checkpoints, and goes on where an earlier process stopped. */
import { setTimeout as pause } from "node:timers/promises";
import { DynnError } from "../../core/errors.js";
import type { TaskTraining } from "../../studies/tasks/kind.js";
import type { TrainingPlan } from "../../training/run/plan.js";
import type { TrainingResult } from "../../training/run/trainer.js";
import { ortNode } from "../ort-node/index.js";
import { TrainingRun } from "./run.js";

/** Milliseconds that a process has to leave the folder: one step of training, and a checkpoint. */
const LEAVE_MS = 10_000;
const LOOK_MS = 200;

/** Whether another process works in a folder. */
export const isLocked = (error: unknown): boolean => error instanceof DynnError && error.code === "file/locked";

/** Trains to the end. After an abort of the signal, the last step is in the checkpoint.
 * @param folder the folder of the run; it is made when it does not exist
 * @throws DynnError 'file/locked' while another process trains in it, and as `TrainingRun.train`;
 *  the reason of the signal */
export async function trainKept(
  folder: string,
  plan: TrainingPlan,
  { threads, signal, onStep }: TaskTraining,
): Promise<TrainingResult> {
  const run = await whenFree(() => TrainingRun.open(plan, { folder, resume: true }));
  try {
    // Batches are made between the steps: the task has as many threads as its engine.
    return await run.train({ backend: ortNode({ threads }), signal, onStep });
  } finally {
    run.close();
  }
}

/** Takes a folder. A process that was told to stop may still write its checkpoint there.
 * @throws DynnError 'file/locked' when the other process does not leave */
export async function whenFree<T>(take: () => Promise<T>): Promise<T> {
  const from = performance.now();
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (!isLocked(error) || performance.now() - from > LEAVE_MS) throw error;
      await pause(LOOK_MS);
    }
  }
}
