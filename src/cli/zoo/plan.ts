/** @file `dynn zoo train --plan`: what is missing, and the hours that it needs here. */
import { parseExits } from "../../dynamic/place/exits.js";
import { ARCHITECTURES, type ArchitectureName } from "../../nn/architectures.js";
import { ortNode } from "../../node/ort-node/index.js";
import { openTrainingData, type TrainingData } from "../../node/training/data.js";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { ZooNetwork } from "../../schema/zoo.js";
import type { InitialWeights } from "../../training/run/network.js";
import { planTraining } from "../../training/run/plan.js";
import { hoursOf, measurePace, type Pace } from "../../training/zoo/pace.js";
import type { Io } from "../shared/io.js";
import { withProgress } from "../shared/progress.js";
import { table } from "../shared/table.js";
import type { Named, TrainZooFlags } from "./networks.js";

/** Prints the missing networks with their hours. Networks that differ only in the seed are measured
 * once. */
export async function showPlan(missing: readonly Named[], flags: TrainZooFlags, io: Io): Promise<void> {
  if (missing.length === 0) return io.out("Nothing is missing.\n");
  const kinds = new Map<string, number>();
  const data = new Map<string, TrainingData>();
  const rows: [string, number][] = [];
  await withProgress(async (onProgress) => {
    for (const [done, [name, network]] of missing.entries()) {
      onProgress({ phase: "measuring", name, done, total: missing.length });
      const kind = JSON.stringify([
        network.architecture,
        network.width,
        network.recipe,
        network.data,
        network.runs.map(({ seed, ...run }) => run),
      ]);
      const hours = kinds.get(kind) ?? (await measuredHours(network, await dataOf(network, flags.data, data), io));
      kinds.set(kind, hours);
      rows.push([name, hours]);
    }
  });
  const total = rows.reduce((sum, [, hours]) => sum + hours, 0);
  io.out(
    `\n${table(
      [{ head: "missing", align: "left" }, { head: "hours" }],
      rows.map(([name, hours]) => [name, hours.toFixed(1)]),
    )}\n${total.toFixed(1)} hours in all, one network after the other. Measured by a few steps each; other work on this machine makes it longer.\n`,
  );
}

async function dataOf({ data }: ZooNetwork, folder: string, open: Map<string, TrainingData>): Promise<TrainingData> {
  const found =
    open.get(data) ??
    (await openTrainingData({ data: `${data}:${folder}`, validation: { kind: "share", share: 0.1 } }));
  open.set(data, found);
  return found;
}

async function measuredHours(network: ZooNetwork, data: TrainingData, io: Io): Promise<number> {
  let hours = 0;
  let pace: Pace | undefined;
  for (const { epochs, seed, threads, batch, exits, backboneGradient } of network.runs) {
    const plan = await planTraining({
      ...{ data, recipe: network.recipe, choices: { epochs, seed, batch, backboneGradient } },
      base: { kind: "architecture", name: network.architecture, width: network.width },
      exits: exits === undefined ? undefined : parseExits(exits),
      init: RECIPE_DEFINITIONS[network.recipe].frozen ? anyWeights(network, data) : undefined,
    });
    pace ??= await measurePace(plan, {
      backend: ortNode({ threads }),
      now: () => performance.now(),
      signal: io.signal,
    });
    hours += hoursOf(pace, data.train.count, epochs);
  }
  return hours;
}

/** Random weights: the time does not depend on them. */
function anyWeights({ architecture, width }: ZooNetwork, { classes, train }: TrainingData): InitialWeights {
  const [channels, height, columns] = train.shape;
  const { graph } = ARCHITECTURES[architecture as ArchitectureName].make({
    ...{ classes, channels, imageSize: [height, columns], width, seed: 0 },
  });
  return {
    where: architecture,
    tensor: (name) => (/head|classifier|fc/.test(name) ? undefined : graph.initializers.get(name)),
    normalization: undefined,
  };
}
