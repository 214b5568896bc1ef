/** @file `dynn train`: from an architecture and data to one ONNX file with exits, normalisation, classes and a model card. */

import type { Command } from "commander";
import { writeMetadata } from "../../dynamic/metadata.js";
import { ARCHITECTURES } from "../../nn/architectures.js";
import { saveModel } from "../../onnx/files.js";
import { cardEntry } from "../../training/card.js";
import { RECIPES } from "../../training/config.js";
import { RECIPE_DEFAULTS } from "../../training/defaults.js";
import { cardTable } from "../card-table.js";
import { checkWritable } from "../files.js";
import { listed } from "../listed.js";
import type { Io } from "../run.js";
import { addTrainOptions, type TrainFlags } from "../train-options.js";
import { finishedCard, measuredAnswers, namesOf, prepare } from "../train-plan.js";
import { type Session, trainInFolder } from "../train-session.js";

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

  # All exits together; after Ctrl-C or a crash, the same with --resume
  $ dynn train resnet56 --data cifar10:data --recipe joint -o resnet56.onnx`;

async function trainAction(architecture: string, flags: TrainFlags, io: Io): Promise<void> {
  await checkWritable(flags.out);
  const plan = await prepare(architecture, flags);
  if (plan.network.note !== undefined) io.err(`${plan.network.note}\n`);
  io.signal.throwIfAborted();
  await trainInFolder(plan, io, (session) => deliver(session, io));
}

async function deliver({ plan, result: { graph }, bar, finish }: Session, io: Io): Promise<void> {
  const { flags, network, data } = plan;
  const card = finishedCard(plan, graph, await measuredAnswers(plan, graph, io.signal));
  bar.stop();
  const metadata = writeMetadata({
    exits: namesOf(network),
    normalization: network.normalization,
    classes: data.train.classes,
  });
  await saveModel(flags.out, { graph, metadata: new Map([...metadata, cardEntry(card)]) });
  const report = await finish(card);
  io.out(cardTable(card));
  for (const path of [flags.out, report]) io.out(`wrote ${path}\n`);
}
