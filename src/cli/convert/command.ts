/** @file `dynn convert`: adds early exits to a trained classifier. Its weights and answers do not
 *  change. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { notesOf } from "../../data/dataset.js";
import { wilson } from "../../measures/wilson.js";
import { HEADS } from "../../nn/heads.js";
import { checkWritable } from "../../node/files.js";
import { saveModel } from "../../node/onnx-files.js";
import { DEFAULT_TARGET } from "../../schema/target.js";
import { chanceWarnings } from "../../studies/chance.js";
import { conversionMetadata } from "../../training/convert/convert.js";
import { measure } from "../../training/convert/policy.js";
import { cardEntry } from "../../training/run/card.js";
import { cardOf } from "../../training/run/plan.js";
import { cardTable } from "../shared/card-table.js";
import type { Io } from "../shared/io.js";
import { listed } from "../shared/listed.js";
import { notesAndWarnings } from "../shared/table.js";
import { type FinishedTraining, trainInFolder } from "../train/train-in-folder.js";
import { convertToGates } from "./gates.js";
import { addConvertOptions, type ConvertFlags } from "./options.js";
import { placesTable, policyLines } from "./output.js";
import { type ConvertPlan, prepareConversion } from "./plan.js";

export const convertCommand = (command: Command, io: Io): Command =>
  addConvertOptions(command)
    .addHelpText("after", HELP)
    .action((model: string, flags: ConvertFlags) => convertAction(model, flags, io));

const HELP = `
Heads:
${listed(Object.entries(HEADS).map(([name, { about }]) => [name, about]))}

Examples:
  # Exits where they save work, heads trained on your data, a chosen policy
  $ dynn convert model.onnx --data folder:photos -o dynamic.onnx

  # Exits where they save time on this machine, for one image at a time
  $ dynn convert model.onnx --data folder:photos --cost time -o dynamic.onnx

  # Two exits, heads that learn from the final exit; a model that expects
  # normalised images
  $ dynn convert model.onnx --data cifar10:data --exits 30,60 --recipe distill \\
      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o dynamic.onnx

  # Gates on residual blocks that leave half of their work undone
  $ dynn convert model.onnx --data folder:photos --gates --gates-target 0.5 \\
      -o gates.onnx`;

async function convertAction(spec: string, flags: ConvertFlags, io: Io): Promise<void> {
  await checkWritable(flags.out);
  if (flags.gates !== undefined) return convertToGates(spec, flags, io);
  const plan = await prepareConversion(spec, flags, io.signal);
  const { replaced, places } = plan.conversion;
  const { data } = plan.run.plan;
  if (replaced.length > 0) io.err(`${spec}: new exits replace ${replaced.join(", ")}\n`);
  for (const note of notesOf(data.train, data.validation, data.test) ?? []) io.err(`${note}\n`);
  io.signal.throwIfAborted();
  io.out(placesTable(places, plan.run.plan.placement));
  await trainInFolder(plan.run, io, (finished) => write(plan, flags, finished, io));
}

async function write(
  { conversion, run }: ConvertPlan,
  flags: ConvertFlags,
  finished: FinishedTraining,
  io: Io,
): Promise<void> {
  const { plan, backend } = run;
  const { graph } = finished.result;
  const measured = await measure(graph, {
    exits: plan.network.model.exits,
    validation: plan.data.validation,
    test: plan.data.test,
    backend,
    target: flags.policy ? DEFAULT_TARGET : undefined,
    batch: plan.config.batch,
    signal: io.signal,
    onProgress: (done, total) => finished.bar.update({ phase: `measuring ${counted(total, "image")}`, done, total }),
  });
  finished.bar.stop();
  const card = cardOf(plan, graph, measured);
  const metadata = new Map([...conversionMetadata(conversion, measured.policy), cardEntry(card)]);
  await saveModel(flags.out, { graph, metadata });
  await finished.run.finish(card);
  const { validation } = measured;
  const right = wilson(validation.right.at(-1) ?? 0, validation.count);
  const doubts = chanceWarnings(conversion, plan.data.validation, right);
  io.out(cardTable(card) + policyLines(measured) + notesAndWarnings([], doubts));
  for (const path of [flags.out, finished.run.report]) io.out(`wrote ${path}\n`);
}
