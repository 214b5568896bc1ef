/** @file `dynn zoo train --plan`: what is missing, and the hours that it needs here. */
import { openTrainingData, type TrainingData } from "../../node/training/data.js";
import { trainingHours } from "../../node/zoo/hours.js";
import type { ZooNetwork } from "../../schema/zoo.js";
import type { Io } from "../shared/io.js";
import { withProgress } from "../shared/progress.js";
import { table } from "../shared/table.js";
import type { Named, TrainZooFlags } from "./networks.js";

/** Prints the missing networks with their hours. */
export async function showPlan(missing: readonly Named[], flags: TrainZooFlags, io: Io): Promise<void> {
  if (missing.length === 0) return io.out("Nothing is missing.\n");
  const data = new Map<string, TrainingData>();
  const rows = await withProgress(async (onProgress) => {
    const trained = [];
    for (const [name, recipe] of missing) trained.push({ name, recipe, data: await dataOf(recipe, flags.data, data) });
    return trainingHours(trained, {
      signal: io.signal,
      onProgress: (name, done, total) => onProgress({ phase: "measuring", name, done, total }),
    });
  });
  const total = rows.reduce((sum, [, hours]) => sum + hours, 0);
  io.out(
    `\n${table(
      [{ head: "missing", align: "left" }, { head: "hours" }],
      rows.map(([name, hours]) => [name, hours.toFixed(1)]),
    )}\n${total.toFixed(1)} hours in all, one network after the other. Measured by a few steps of one network of each architecture, the others by their MACs; other work on this machine makes it longer.\n`,
  );
}

async function dataOf({ data }: ZooNetwork, folder: string, open: Map<string, TrainingData>): Promise<TrainingData> {
  const found =
    open.get(data) ??
    (await openTrainingData({ data: `${data}:${folder}`, validation: { kind: "share", share: 0.1 } }));
  open.set(data, found);
  return found;
}
