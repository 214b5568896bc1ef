/** @file A training run before its first step: data, network and configuration, and the settings that say it all. */

import { basename, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import type { Graph } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import type { ModelCard, Placement } from "../../schema/model-card.js";
import type { TrainingConfig } from "../../training/recipe/config.js";
import { trainingConfig } from "../../training/recipe/defaults.js";
import type { RunSettings } from "../../training/run/checkpoint.js";
import { evaluateExits } from "../../training/run/evaluate.js";
import { parametersOf } from "../../training/step/training-form.js";
import { backendOf } from "../shared/backend-options.js";
import { normalizationOf } from "../shared/normalization-options.js";
import { openTrainingData, type TrainingData } from "./data.js";
import { isFile, type TrainingNetwork, trainingNetwork } from "./network.js";
import { choicesOf, type TrainFlags } from "./options.js";

/** How a run goes, whatever it trains. */
export type RunFlags = Pick<
  TrainFlags,
  "threads" | "provider" | "workers" | "featureMemory" | "run" | "resume" | "checkpointEvery" | "out"
>;

/** What the weights began as. Files go by their names: where they lie on a machine is nothing that a model should tell. */
export type Origin = Pick<ModelCard, "architecture" | "width" | "init">;

/** Everything of a run that is settled before its first step. */
export interface Plan {
  readonly flags: RunFlags;
  readonly origin: Origin;
  readonly data: TrainingData;
  readonly network: TrainingNetwork;
  readonly config: TrainingConfig;
  /** What exits were placed by, where they were placed here. */
  readonly placement?: Placement | undefined;
  readonly settings: RunSettings;
  readonly backend: Backend;
}

/** Settle a run.
 * @throws DynnError what opening data and network throws, and 'training/config' */
export async function prepare(architecture: string, flags: TrainFlags): Promise<Plan> {
  const data = await openTrainingData(flags);
  const side = Math.min(data.train.shape[1], data.train.shape[2]);
  const config = trainingConfig(flags.recipe, choicesOf(flags), { architecture, side });
  const { classes, train: records } = data;
  if (config.batch > records.count)
    throw new DynnError(
      "training/config",
      `--batch ${config.batch}: there are ${records.count} records to train on, expected at least one batch. Give a smaller --batch, or more data.`,
      { batch: config.batch, records: records.count },
    );
  const network = await trainingNetwork({
    ...flags,
    ...normalizationOf(flags),
    ...{ architecture, classes, train: records },
  });
  return settled({ flags, origin: originOf(architecture, flags), data, network, config });
}

/** The plan with the settings that its run belongs to, and an engine. */
export const settled = (plan: Omit<Plan, "settings" | "backend">): Plan => ({
  ...plan,
  settings: settingsOf(plan),
  backend: backendOf(plan.flags),
});

const partOf = ({ name, count }: { readonly name: string; readonly count: number }) => ({ name, count });

const originOf = (architecture: string, { width, init }: TrainFlags): Origin => ({
  architecture: basename(architecture),
  width: isFile(architecture) ? null : (width ?? 1),
  init: init === undefined ? null : basename(init),
});

/** Everything that decides the result. The digest stands for the graph and its first weights, the normalisation for the images. */
const settingsOf = ({
  origin,
  data,
  network: { model, normalization, digest },
  config,
  placement,
  flags: { provider },
}: Omit<Plan, "settings" | "backend">): RunSettings => ({
  ...origin,
  exits: model.exits.map((e) => e.logits),
  data: partsOf(data),
  normalization,
  config,
  digest,
  ...(placement?.cost === "time" ? { placement } : {}),
  // Its sums round differently. Runs from before there was a choice were on the CPU.
  ...(provider === "cpu" ? {} : { provider }),
});

const partsOf = ({ train: records, validation, test }: TrainingData): ModelCard["data"] => ({
  train: partOf(records),
  validation: partOf(validation),
  test: test ? partOf(test) : null,
});

/** Where the run keeps its files.
 * @throws DynnError 'cli/usage' when the folder would be the output */
export function runFolderOf({ run, out }: RunFlags): string {
  const folder = run ?? `${out.replace(/\.onnx$/, "")}.run`;
  if (resolve(folder) !== resolve(out)) return folder;
  throw new DynnError("cli/usage", `--run and --out: both are ${out}. Give each its own place.`, { out });
}

/** Names and logits of the exits, as the file has them. */
export const namesOf = ({ model }: TrainingNetwork) => model.exits.map(({ name, logits }) => ({ name, logits }));

/** Right answers of each exit. */
export interface Answers {
  readonly right: readonly number[];
  readonly count: number;
}

export interface PartAnswers {
  readonly validation: Answers;
  readonly test: Answers | undefined;
}

/** What the trained network can do, measured on it. */
export async function measuredAnswers(
  { network, data, config, backend }: Plan,
  graph: Graph,
  signal: AbortSignal,
): Promise<PartAnswers> {
  const answersOn = async (part: TrainingData["validation"]): Promise<Answers> => {
    const options = { batch: config.batch, signal };
    const { correct, count } = await evaluateExits(graph, network.model.exits, part, backend, options);
    return { right: correct, count };
  };
  return { validation: await answersOn(data.validation), test: data.test && (await answersOn(data.test)) };
}

/** The card of the trained network. */
export function finishedCard(
  { network, data, config, origin, placement }: Plan,
  graph: Graph,
  { validation, test }: PartAnswers,
): ModelCard {
  const contract = dynamicModel({ graph, metadata: writeMetadata({ exits: namesOf(network) }) });
  return {
    schemaVersion: 1,
    ...origin,
    data: partsOf(data),
    training: JSON.parse(JSON.stringify(config)) as ModelCard["training"],
    ...(placement ? { placement } : {}),
    parameters: trainableCount(graph),
    exits: contract.exits.map(({ name, macs, costFraction }, k) => ({
      name,
      macs,
      costFraction,
      validation: answersAt(validation, k),
      test: test ? answersAt(test, k) : null,
    })),
    tool: { name: "dynn", version: VERSION },
  };
}

const answersAt = ({ right, count }: Answers, exit: number) => ({ right: right[exit] as number, count });

const trainableCount = (graph: Graph): number =>
  parametersOf(graph).reduce((sum, name) => sum + (graph.initializers.get(name)?.data.length ?? 0), 0);
