/** @file Plans a training run before its first step: data, network, configuration, and the settings
 *  that decide the result. */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { notesOf } from "../../data/dataset.js";
import type { TrainingSplit } from "../../data/training-split.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import type { Graph } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import type { ModelCard, Placement } from "../../schema/model-card.js";
import { steadinessOf } from "../../schema/steadiness.js";
import type { EpochReport, Recipe, TrainingRecord } from "../../schema/training.js";
import type { TrainingConfig } from "../recipe/config.js";
import { type TrainingChoices, trainingConfig } from "../recipe/defaults.js";
import { parametersOf } from "../step/training-form.js";
import { cardEntry } from "./card.js";
import type { RunSettings } from "./checkpoint.js";
import { evaluateExits } from "./evaluate.js";
import { type NetworkRequest, type TrainingNetwork, trainingNetwork } from "./network.js";

/** The origin of the weights. Files appear by name, without their path, because a model must not
 * tell paths of a machine. */
export type Origin = Pick<ModelCard, "architecture" | "width" | "init">;

/** The parts of a run that are fixed before its first step. */
export interface TrainingPlan {
  /** The origin of the weights. */ readonly origin: Origin;
  /** Records to train, validate and test on. */
  readonly data: TrainingSplit;
  /** The network before its first step. */
  readonly network: TrainingNetwork;
  /** Every number of the training. */
  readonly config: TrainingConfig;
  /** How the places of exits were chosen. Undefined when this plan did not choose them. */
  readonly placement?: Placement | undefined;
  /** The settings that decide the result. A resumed run must have the same. */
  readonly settings: RunSettings;
}

export interface PlanRequest extends Omit<NetworkRequest, "classes" | "train" | "seed"> {
  /** Records to train, validate and test on. */
  readonly data: TrainingSplit;
  /** The recipe of the training. */
  readonly recipe: Recipe;
  /** Settings that replace defaults of the recipe. */
  readonly choices?: TrainingChoices | undefined;
  /** The provider of the run, e.g. "webgpu". Its sums round differently from those of the CPU. The
   * default is the CPU. */
  readonly provider?: string | undefined;
}

/** Plans a training run.
 * @throws DynnError 'training/config', or as {@link trainingNetwork}
 * @example
 * const base = { kind: "architecture", name: "resnet20" } as const;
 * const plan = await planTraining({ data, base, recipe: "joint" }); */
export async function planTraining(request: PlanRequest): Promise<TrainingPlan> {
  const { base, data, recipe, choices = {}, provider } = request;
  const { classes, train } = data;
  const side = Math.min(train.shape[1], train.shape[2]);
  const config = trainingConfig(recipe, choices, { architecture: base.name, side });
  checkBatch(config, data);
  const network = await trainingNetwork({ ...request, classes, train, seed: config.seed });
  return withSettings({ origin: originOf(request), data, network, config }, provider);
}

/** @throws DynnError 'training/config' */
export function checkBatch({ batch }: TrainingConfig, { train }: TrainingSplit): void {
  if (batch <= train.count) return;
  throw new DynnError(
    "training/config",
    `batch ${batch}: the data have ${counted(train.count, "record")} to train on, expected at least one batch. Give a smaller batch, or more data.`,
    { batch, records: train.count, options: ["batch"] },
  );
}

const originOf = ({ base, init }: PlanRequest): Origin => ({
  architecture: base.name,
  width: base.kind === "model" ? null : (base.width ?? 1),
  init: init?.where.split(/[/\\]/).at(-1) ?? null,
});

/** Adds to a plan the settings that decide its result. The digest represents the graph and its
 * first weights. The normalisation represents the images. */
export function withSettings(plan: Omit<TrainingPlan, "settings">, provider = "cpu"): TrainingPlan {
  const { origin, data, network, config, placement } = plan;
  const settings = {
    ...origin,
    exits: network.model.exits.map((e) => e.logits),
    data: partsOf(data),
    normalization: network.normalization,
    config,
    digest: network.digest,
    ...(placement?.cost === "time" ? { placement } : {}),
    // Old checkpoints do not name a provider. Their runs were on the CPU.
    ...(provider === "cpu" ? {} : { provider }),
  };
  return { ...plan, settings };
}

const partOf = ({ name, count }: { readonly name: string; readonly count: number }) => ({ name, count });

const partsOf = ({ train, validation, test }: TrainingSplit): ModelCard["data"] => ({
  train: partOf(train),
  validation: partOf(validation),
  test: test ? partOf(test) : null,
});

/** Names and logits of the exits, as in the file. */
export const exitNames = ({ model }: TrainingNetwork) => model.exits.map(({ name, logits }) => ({ name, logits }));

/** The metadata of the trained network's file: exits, gates, normalisation, class names, card. */
export const trainedMetadata = ({ network, data }: TrainingPlan, card: ModelCard): ReadonlyMap<string, string> =>
  new Map([
    ...writeMetadata({
      exits: exitNames(network),
      gates: network.gates,
      normalization: network.normalization,
      classes: data.train.classes,
    }),
    cardEntry(card),
  ]);

/** Right answers of each exit. */
export interface RightAnswers {
  /** Number of right answers of each exit, in order. */
  readonly right: readonly number[];
  /** Number of records. */
  readonly count: number;
  /** Number of records for which each gate is open, in order. Left out without gates. */
  readonly open?: readonly number[] | undefined;
}

/** Right answers of a trained network. */
export interface PlanAnswers {
  /** On the validation records. */
  readonly validation: RightAnswers;
  /** On the test records. Undefined without test records. */
  readonly test: RightAnswers | undefined;
}

/** Counts the right answers of a trained network on the validation and the test records of its
 * plan.
 * @throws DynnError 'runtime/run', or the signal's reason when aborted */
export async function measurePlan(
  { network, data, config }: TrainingPlan,
  graph: Graph,
  options: { readonly backend: Backend; readonly signal?: AbortSignal | undefined },
): Promise<PlanAnswers> {
  const answersOn = async (part: TrainingSplit["validation"]): Promise<RightAnswers> => {
    const { backend, signal } = options;
    const { exits } = network.model;
    const request = { batch: config.batch, signal, gates: network.gates };
    const { correct, count, open } = await evaluateExits(graph, part, { exits, backend, ...request });
    return { right: correct, count, ...(network.gates ? { open } : {}) };
  };
  return { validation: await answersOn(data.validation), test: data.test && (await answersOn(data.test)) };
}

/** The card of a trained network. */
export function cardOf(plan: TrainingPlan, graph: Graph, { validation, test }: PlanAnswers): ModelCard {
  const { network, data, config, origin, placement } = plan;
  const contract = dynamicModel({
    graph,
    metadata: writeMetadata({ exits: exitNames(network), gates: network.gates }),
  });
  return {
    schemaVersion: 1,
    ...origin,
    data: { ...partsOf(data), ...notesOn(data) },
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
    ...(contract.gates.length > 0
      ? {
          gates: contract.gates.map(({ name, macs }, k) => ({
            name,
            macs,
            validation: openAt(validation, k),
            test: test ? openAt(test, k) : null,
          })),
        }
      : {}),
    tool: { name: "dynn", version: VERSION },
  };
}

/** The notes on the data. The settings of a run leave them out: they do not decide its result. */
function notesOn({ train, validation, test }: TrainingSplit): Pick<ModelCard["data"], "notes"> {
  const notes = notesOf(train, validation, test);
  return notes ? { notes } : {};
}

const openAt = ({ open, count }: RightAnswers, gate: number) => ({ open: open?.[gate] ?? 0, count });

const answersAt = ({ right, count }: RightAnswers, exit: number) => ({ right: right[exit], count });

const trainableCount = (graph: Graph): number =>
  parametersOf(graph).reduce((sum, name) => sum + (graph.initializers.get(name)?.data.length ?? 0), 0);

/** The record from which the report of a run is made.
 * @param test right answers of the finished network, one entry per exit */
export const recordOf = (
  { network, data, config, settings, placement }: TrainingPlan,
  epochs: readonly EpochReport[],
  test?: TrainingRecord["test"],
): TrainingRecord => ({
  model: network.name,
  data: data.train.name,
  ...notesOn(data),
  recipe: config.recipe,
  exits: network.model.exits.map((e) => e.name),
  ...gatesOf(network.model),
  planned: config.epochs,
  validationCount: data.validation.count,
  epochs,
  test,
  steadiness: placement?.cost === "time" ? steadinessOf(placement.roundSpread) : undefined,
  settings: leaves("", settings),
});

/** The gates with what they save. */
function gatesOf({ exits, gates = [] }: TrainingNetwork["model"]): Pick<TrainingRecord, "gates"> {
  const full = exits[exits.length - 1].macs;
  if (gates.length === 0 || !full) return {};
  return { gates: gates.map(({ name, macs }) => ({ name, costFraction: macs / full })) };
}

/** Every setting as path and value. */
function leaves(at: string, value: unknown): [name: string, value: string][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [[at, Array.isArray(value) ? value.join(", ") : String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(at === "" ? key : `${at}.${key}`, inner));
}
