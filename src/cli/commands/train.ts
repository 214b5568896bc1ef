/** @file `dynn train`: from an architecture and data to one ONNX file with exits, normalisation, classes and a model card. */
import { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { prefetch } from "../../data/files/prefetch.js";
import { channelStatistics } from "../../data/statistics.js";
import { writeMetadata } from "../../dynamic/metadata.js";
import { ARCHITECTURES } from "../../nn/architectures.js";
import { saveModel } from "../../onnx/files.js";
import { renderTraining, type TrainingRecord } from "../../report/training.js";
import { cardEntry, type ModelCard } from "../../training/card.js";
import { type EpochReport, RECIPES } from "../../training/config.js";
import { RECIPE_DEFAULTS } from "../../training/defaults.js";
import { type TrainingRequest, type TrainingResult, train } from "../../training/trainer.js";
import { cardTable } from "../card-table.js";
import { checkWritable } from "../files.js";
import { Interrupted } from "../interrupt.js";
import { ProgressBar } from "../progress.js";
import type { Io } from "../run.js";
import { addTrainOptions, type TrainFlags } from "../train-options.js";
import { epochLine, placeOf, stepLines, trainingRecord } from "../train-output.js";
import { finishedCard, namesOf, type Plan, prepare, runFolderOf } from "../train-plan.js";
import { RunFolder } from "../train-run.js";

export const trainCommand = (io: Io): Command =>
  addTrainOptions(
    new Command("train")
      .description("Train a network with one exit or many, and write it as one ONNX file with a model card.")
      .argument("<architecture>", "a name from the list below, or an ONNX file with named parameters"),
  )
    .addHelpText("after", HELP)
    .action((architecture: string, flags: TrainFlags) => trainAction(architecture, flags, io));

/** Names and what they are, in 80 columns. */
function listed(entries: readonly (readonly [name: string, about: string])[]): string {
  const indent = Math.max(...entries.map(([name]) => name.length)) + 4;
  const lines = entries.flatMap(([name, about]) => {
    const folded = about.match(new RegExp(`.{1,${80 - indent}}(?: |$)`, "g")) ?? [];
    return folded.map((line, i) => `${(i === 0 ? `  ${name}` : "").padEnd(indent)}${line.trimEnd()}`);
  });
  return lines.join("\n");
}

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
  const folder = await RunFolder.open({
    folder: runFolderOf(flags),
    settings: plan.settings,
    resume: flags.resume ?? false,
    render: (epochs) => renderTraining(recordOf(plan, epochs)),
    warn: io.err,
  });
  if (folder.state) await folder.writeCurves(folder.state.epochs);
  const bar = new ProgressBar();
  try {
    const result = await runTraining(plan, folder, bar, io);
    const card = await finishedCard(plan, result.graph, io.signal);
    await deliver(plan, result, card, folder, io);
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
    resume: state,
    signal: io.signal,
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
  if (saved) io.err(`${kept} in ${checkpoint}${again ? `: --init takes its weights into a new run.` : `; ${goOn}`}\n`);
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

async function deliver(
  plan: Plan,
  { graph, epochs }: TrainingResult,
  card: ModelCard,
  folder: RunFolder,
  io: Io,
): Promise<void> {
  const { flags, network, data } = plan;
  const metadata = writeMetadata({
    exits: namesOf(network),
    normalization: network.normalization,
    classes: data.train.classes,
  });
  await saveModel(flags.out, { graph, metadata: new Map([...metadata, cardEntry(card)]) });
  const test = card.exits.flatMap((e) => e.test ?? []);
  await folder.finish(card, renderTraining(recordOf(plan, epochs, test.length > 0 ? test : undefined)));
  io.out(cardTable(card));
  for (const path of [flags.out, folder.report]) io.out(`wrote ${path}\n`);
}
