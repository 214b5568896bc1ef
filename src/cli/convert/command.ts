/** @file `dynn convert`: adds early exits to a trained classifier. Its weights and answers do not
 *  change. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { notesOf } from "../../data/dataset.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import { HEADS } from "../../nn/heads.js";
import { checkWritable } from "../../node/files.js";
import { describeRun } from "../../node/machine.js";
import { saveModel } from "../../node/onnx-files.js";
import type { Made } from "../../schema/made.js";
import { NEVER_FIRES, type Policy } from "../../schema/policy.js";
import { conversionRecord } from "../../studies/conversion.js";
import { measureSpeed } from "../../studies/speed.js";
import { conversionMetadata } from "../../training/convert/convert.js";
import { measure } from "../../training/convert/policy.js";
import { cardEntry } from "../../training/run/card.js";
import { cardOf } from "../../training/run/plan.js";
import type { Io } from "../shared/io.js";
import { listed } from "../shared/listed.js";
import { type FinishedTraining, trainInFolder } from "../train/train-in-folder.js";
import { convertToGates } from "./gates.js";
import { addConvertOptions, type ConvertFlags } from "./options.js";
import { conversionSummary, placesTable } from "./output.js";
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

  # At most one point of accuracy lost; twice as long a training
  $ dynn convert model.onnx --data folder:photos --target drop:1pt \\
      --steps 4000 -o dynamic.onnx

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
  const made = describeRun({ threads: flags.threads, command: io.command });
  const plan = await prepareConversion(spec, flags, io.signal);
  const { replaced, places } = plan.conversion;
  const { data } = plan.run.plan;
  if (replaced.length > 0) io.err(`${spec}: new exits replace ${replaced.join(", ")}\n`);
  for (const note of notesOf(data.train, data.validation, data.test) ?? []) io.err(`${note}\n`);
  io.signal.throwIfAborted();
  io.out(placesTable(places, plan.run.plan.placement));
  await trainInFolder(plan.run, io, (finished) => write({ ...plan, made }, flags, finished, io));
}

async function write(
  { conversion, run, sha256, made }: ConvertPlan & { readonly made: Made },
  flags: ConvertFlags,
  finished: FinishedTraining,
  io: Io,
): Promise<void> {
  const { plan, backend } = run;
  const { graph } = finished.result;
  const { exits } = plan.network.model;
  const target = flags.policy ? flags.target : undefined;
  const measured = await measure(graph, {
    ...{ exits, backend, target, batch: plan.config.batch, signal: io.signal },
    ...{ validation: plan.data.validation, test: plan.data.test },
    onProgress: (done, total) => finished.bar.update({ phase: `measuring ${counted(total, "image")}`, done, total }),
  });
  const card = cardOf(plan, graph, measured);
  const metadata = new Map([...conversionMetadata(conversion, measured.policy), cardEntry(card)]);
  const { policy } = measured;
  const speeds =
    policy && flags.speed && !isIdle(policy)
      ? await measureSpeed({
          ...{ model: dynamicModel({ graph, metadata }, { name: conversion.name }), policy, backend },
          ...{ data: plan.data.test ?? plan.data.validation, signal: io.signal, onProgress: finished.bar.update },
          now: () => performance.now(),
        })
      : undefined;
  finished.bar.stop();
  io.signal.throwIfAborted();
  const { epochs } = finished.result;
  const record = conversionRecord({ conversion, plan, epochs, card, measured, target, speeds, sha256, made });
  await saveModel(flags.out, { graph, metadata });
  const text = `${JSON.stringify(record, undefined, 2)}\n`;
  const { renderConversion } = await import("../../report/conversion/page.js");
  await finished.run.finish(card, { report: renderConversion(record), record: text });
  io.out(conversionSummary(record));
  for (const path of [flags.out, finished.run.report]) io.out(`wrote ${path}\n`);
}

/** Whether no early exit ever fires. */
const isIdle = ({ rule, thresholds }: Policy): boolean => thresholds.every((t) => t === NEVER_FIRES[rule]);
