/** @file `dynn train`: trains an architecture on data, and writes one ONNX file with exits,
 *  normalisation, classes and a model card. */

import type { Command } from "commander";
import { notesOf } from "../../data/dataset.js";
import { ARCHITECTURES } from "../../nn/architectures.js";
import { checkWritable } from "../../node/files.js";
import { saveModel } from "../../node/onnx-files.js";
import { RECIPES } from "../../schema/training.js";
import { RECIPE_DEFAULTS } from "../../training/recipe/defaults.js";
import { cardOf, measurePlan, trainedMetadata } from "../../training/run/plan.js";
import { cardTable } from "../shared/card-table.js";
import type { Io } from "../shared/io.js";
import { listed } from "../shared/listed.js";
import { addTrainOptions, type TrainFlags } from "./options.js";
import { prepare } from "./plan.js";
import { trainInFolder } from "./train-in-folder.js";

export const trainCommand = (command: Command, io: Io): Command =>
  addTrainOptions(command)
    .addHelpText("after", HELP)
    .action((architecture: string, flags: TrainFlags) => trainAction(architecture, flags, io));

const HELP = `
Architectures:
${listed(Object.entries(ARCHITECTURES).map(([name, { about }]) => [name, about]))}

Recipes:
${listed(RECIPES.map((name) => [name, RECIPE_DEFAULTS[name].about]))}

Examples:
  # ResNet-20 with one exit, then six early exits on top of it
  $ dynn train resnet20 --data cifar10:data --recipe static -o resnet20.onnx
  $ dynn train resnet20 --data cifar10:data --recipe ic-only \\
      --init resnet20.onnx -o resnet20-exits.onnx

  # A trained network that skips half of the work that gates cover
  $ dynn train resnet20.onnx --data cifar10:data --recipe gates \\
      --gates-target 0.5 -o resnet20-gates.onnx

  # All exits together; after Ctrl-C or a crash, add --resume to continue
  $ dynn train resnet56 --data cifar10:data --recipe joint -o resnet56.onnx`;

async function trainAction(architecture: string, flags: TrainFlags, io: Io): Promise<void> {
  await checkWritable(flags.out);
  const planned = await prepare(architecture, flags);
  const { plan, backend } = planned;
  if (plan.network.note !== undefined) io.err(`${plan.network.note}\n`);
  for (const note of notesOf(plan.data.train, plan.data.validation, plan.data.test) ?? []) io.err(`${note}\n`);
  io.signal.throwIfAborted();
  await trainInFolder(planned, io, async ({ run, result: { graph }, bar }) => {
    const card = cardOf(plan, graph, await measurePlan(plan, graph, { backend, signal: io.signal }));
    bar.stop();
    await saveModel(flags.out, { graph, metadata: trainedMetadata(plan, card) });
    await run.finish(card);
    io.out(cardTable(card));
    for (const path of [flags.out, run.report]) io.out(`wrote ${path}\n`);
  });
}
