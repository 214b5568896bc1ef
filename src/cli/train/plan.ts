/** @file Makes the plan of a run and its engine from the options of `dynn train`. */
import { basename, resolve } from "node:path";
import { DynnError } from "../../core/errors.js";
import { withChannels } from "../../data/channels.js";
import type { ClassMatching } from "../../data/classes.js";
import type { Dataset } from "../../data/dataset.js";
import { fitLabels } from "../../data/fit.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import { openOnnx } from "../../node/models.js";
import { readBytes } from "../../node/onnx-files.js";
import { openTrainingData, type TrainingData } from "../../node/training/data.js";
import type { Backend } from "../../runtime/backend.js";
import { namedHeads } from "../../training/run/named-heads.js";
import {
  type InitialWeights,
  type NetworkBase,
  weightsOfCheckpoint,
  weightsOfModel,
} from "../../training/run/network.js";
import { planTraining, type TrainingPlan } from "../../training/run/plan.js";
import { backendOf } from "../shared/backend-options.js";
import { matchingOf } from "../shared/class-options.js";
import { normalizationOf } from "../shared/normalization-options.js";
import { choicesOf, type TrainFlags } from "./options.js";

/** The options of a run, whatever it trains. */
export type RunFlags = Pick<
  TrainFlags,
  "threads" | "provider" | "workers" | "featureMemory" | "run" | "resume" | "checkpointEvery" | "out"
>;

/** A plan with the settings of its run. */
export interface PlannedRun {
  readonly flags: RunFlags;
  readonly plan: TrainingPlan;
  readonly source: TrainingData["source"];
  readonly backend: Backend;
  /** About how many epochs get a line. Left out: all. */
  readonly lines?: number;
}

/** Plan a run.
 * @throws DynnError the errors of opening data and network, and 'training/config' */
export async function prepare(architecture: string, flags: TrainFlags): Promise<PlannedRun> {
  const base = await baseOf(architecture, flags);
  const init =
    flags.init === undefined
      ? undefined
      : await initialWeights(flags.init, base.kind === "architecture" ? flags.final : undefined);
  const matching = await matchingOf(flags);
  const fit = fitToWeights(base, init, matching, flags);
  const data = await openTrainingData({ ...flags, fit, matching });
  const plan = await planTraining({
    ...{ data, recipe: flags.recipe, exits: flags.exits, head: flags.head, choices: choicesOf(flags) },
    gatePlaces: flags.gates,
    ...normalizationOf(flags),
    ...{ base, init, final: flags.final, provider: flags.provider, backend: backendOf(flags) },
  });
  return { flags, plan, source: data.source, backend: backendOf(flags) };
}

/** Gives labels the numbering of the classes that the first weights know, and images the channels
 * of a file. Undefined where neither is known. Where the order is to be taken, the new network
 * takes the names of the data too. */
function fitToWeights(
  base: NetworkBase,
  init: InitialWeights | undefined,
  matching: ClassMatching,
  { exits, final }: TrainFlags,
): ((data: Dataset) => Dataset) | undefined {
  const file =
    base.kind === "model"
      ? dynamicModel(base.source, { name: base.name, final, exits: namedHeads(base.source, exits, base.name) })
      : undefined;
  const known = file ?? init?.classes;
  const channels = file?.input.shape[1];
  const isNamed = known?.classNames !== undefined && !matching.byOrder;
  if (!isNamed && channels === undefined) return undefined;
  return (given) => {
    const data = withChannels(given, channels);
    return known && isNamed ? fitLabels(known, data, matching) : data;
  };
}

/** Whether an architecture or first weights are an ONNX file. */
const isFile = (architecture: string): boolean => /^zoo:|\.onnx$/.test(architecture);

/** @throws DynnError 'training/config' when a file should get another width, and the errors of
 *   reading it */
async function baseOf(architecture: string, { width, final, init }: TrainFlags): Promise<NetworkBase> {
  if (final !== undefined && ![architecture, init ?? ""].some(isFile))
    throw new DynnError(
      "training/config",
      `--final ${final}: ${architecture} is an architecture, whose last exit is final. Leave --final out, or give a file.`,
      { final },
    );
  if (!isFile(architecture)) return { kind: "architecture", name: architecture, width };
  if (width !== undefined)
    throw new DynnError(
      "training/config",
      `--width ${width}: ${architecture} is a file, whose layers have a fixed width. Leave --width out, or name an architecture.`,
      { width },
    );
  const { source } = await openOnnx(architecture);
  return { kind: "model", name: basename(architecture), source };
}

async function initialWeights(path: string, final: string | undefined): Promise<InitialWeights> {
  if (isFile(path)) return weightsOfModel((await openOnnx(path)).source, { where: path, final });
  return weightsOfCheckpoint(await readBytes(path), path);
}

/** The folder in which the run keeps its files.
 * @throws DynnError 'cli/usage' when the folder would be the output */
export function runFolderOf({ run, out }: RunFlags): string {
  const folder = run ?? `${out.replace(/\.onnx$/, "")}.run`;
  if (resolve(folder) !== resolve(out)) return folder;
  throw new DynnError("cli/usage", `--run and --out: both are ${out}. Give each its own place.`, { out });
}
