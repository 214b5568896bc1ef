/** @file `dynn convert --gates`: puts gates on the residual blocks of a classifier, and trains the
 *  whole network further. */
import { basename } from "node:path";
import { DynnError } from "../../core/errors.js";
import { notesOf } from "../../data/dataset.js";
import type { Graph } from "../../graph/graph.js";
import { saveModel } from "../../node/onnx-files.js";
import { withNamedParameters } from "../../training/convert/parameters.js";
import { DEFAULT_BATCH, type TrainingChoices } from "../../training/recipe/defaults.js";
import { cardOf, measurePlan, planTraining, trainedMetadata } from "../../training/run/plan.js";
import { backendOf } from "../shared/backend-options.js";
import { cardTable } from "../shared/card-table.js";
import type { Io } from "../shared/io.js";
import { choicesOf } from "../train/options.js";
import type { PlannedRun } from "../train/plan.js";
import { trainInFolder } from "../train/train-in-folder.js";
import type { ConvertFlags } from "./options.js";
import { openConversion } from "./plan.js";

/** Plans the run, trains, and writes the model.
 * @throws DynnError 'cli/usage' for options of exits, and the errors of `planTraining` and of
 *   training */
export async function convertToGates(spec: string, flags: ConvertFlags, io: Io): Promise<void> {
  checkOptions(flags);
  const { planned, kept } = await prepareGates(spec, flags);
  const { plan, backend } = planned;
  for (const note of notesOf(plan.data.train, plan.data.validation, plan.data.test) ?? []) io.err(`${note}\n`);
  io.signal.throwIfAborted();
  await trainInFolder(planned, io, async ({ run, result: { graph }, bar }) => {
    const card = cardOf(plan, graph, await measurePlan(plan, graph, { backend, signal: io.signal }));
    bar.stop();
    await saveModel(flags.out, { graph, metadata: new Map([...kept, ...trainedMetadata(plan, card)]) });
    await run.finish(card);
    io.out(cardTable(card));
    for (const path of [flags.out, run.report]) io.out(`wrote ${path}\n`);
  });
}

/** @throws DynnError 'cli/usage' */
function checkOptions({ exits, cost, head, steps }: ConvertFlags): void {
  const wrong = [
    exits.kind !== "auto" && "--exits",
    cost !== "macs" && "--cost",
    head !== undefined && "--head",
    steps !== undefined && "--steps",
  ];
  const given = wrong.filter((flag) => flag !== false);
  if (given.length === 0) return;
  throw new DynnError(
    "cli/usage",
    `--gates: puts gates on blocks and no exits, and ${given.join(", ")} is about exits. Leave it out, or convert twice: first with --gates, then with exits.`,
    { given },
  );
}

/** The planned run, and the source's metadata that other programs wrote. */
async function prepareGates(
  spec: string,
  flags: ConvertFlags,
): Promise<{ readonly planned: PlannedRun; readonly kept: readonly (readonly [string, string])[] }> {
  const { given, name, data, normalization } = await openConversion(spec, flags);
  const source = { ...given, graph: withNamedParameters(given.graph) };
  const backend = backendOf(flags);
  const plan = await planTraining({
    ...{ data, recipe: "gates", gatePlaces: flags.gates, choices: gateChoices(flags, given.graph), ...normalization },
    ...{ base: { kind: "model", name: basename(name), source }, final: flags.final, provider: flags.provider, backend },
  });
  const kept = [...given.metadata].filter(([key]) => !key.startsWith("dynn."));
  return { planned: { flags, plan, source: data.source, backend }, kept };
}

/** Defaults of a network whose BatchNormalization is folded into its convolutions. At the learning
 * rate of the recipe it diverges. */
const FOLDED = { peak: 0.005, clipNorm: 1 } as const;

/** The recipe distill asks for a teacher, as a weight does. */
function gateChoices(flags: ConvertFlags, { nodes }: Graph): TrainingChoices {
  const choices = choicesOf(flags);
  const weight = choices.distill?.weight ?? (flags.recipe === "distill" ? 0.5 : undefined);
  const own = { ...choices, distill: { ...choices.distill, weight } };
  if (nodes.some((node) => node.opType === "BatchNormalization")) return own;
  const peak = (FOLDED.peak * (choices.batch ?? DEFAULT_BATCH)) / DEFAULT_BATCH;
  return { ...own, peak: choices.peak ?? peak, clipNorm: choices.clipNorm ?? FOLDED.clipNorm };
}
