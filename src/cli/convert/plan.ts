/** @file A conversion before its first step: the cost of places, the model with new heads, the
 *  data, and the run that trains the heads. */
import { basename } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import type { ExitSpec } from "../../dynamic/place/exits.js";
import type { MeasuredPlaces } from "../../dynamic/place/places.js";
import { openOnnx } from "../../node/models.js";
import { openTrainingData, type TrainingData } from "../../node/training/data.js";
import { keptSettings } from "../../node/training/run-folder.js";
import type { OnnxModel } from "../../onnx/model.js";
import { type Placement, placementSchema } from "../../schema/model-card.js";
import { checkPolicyData, conversionConfig, recipeFor } from "../../training/convert/convert.js";
import {
  type ConversionPlan,
  type ConversionRequest,
  checkedSource,
  measureConversion,
  planConversion,
} from "../../training/convert/plan.js";
import { graphDigest } from "../../training/run/network.js";
import { checkBatch, withSettings } from "../../training/run/plan.js";
import { backendOf } from "../shared/backend-options.js";
import { matchingOf } from "../shared/class-options.js";
import { normalizationOf } from "../shared/normalization-options.js";
import { choicesOf } from "../train/options.js";
import { type PlannedRun, runFolderOf } from "../train/plan.js";
import type { ConvertFlags } from "./options.js";

export interface ConvertPlan {
  readonly conversion: ConversionPlan;
  readonly run: PlannedRun;
  /** The digest of the file that is converted. */
  readonly sha256: string | undefined;
}

/** Plan a conversion.
 * @throws DynnError the errors of reading model and data, and of `planConversion`; 'cli/usage',
 *   'training/config', 'policy/validation' */
export async function prepareConversion(spec: string, flags: ConvertFlags, signal: AbortSignal): Promise<ConvertPlan> {
  const { given, name, data, normalization } = await openConversion(spec, flags);
  if (flags.policy) checkPolicyData(data.validation);
  const { exits, head, seed, final } = flags;
  const request = { name, exits, head, seed, final, ...normalization };
  const source = await checkedSource(given, data.train, backendOf(flags), request);
  const measured = await measuredPlaces({ source, data: data.train, request, flags, signal });
  const conversion = planConversion(source, data.train, { ...request, measured });
  const { recipe = recipeFor(data.train), steps } = flags;
  const config = conversionConfig(recipe, { ...choicesOf(flags), steps }, { name, train: data.train });
  checkBatch(config, data);
  const { model, normalization: found } = conversion;
  const digest = graphDigest(model.graph);
  const network = { name: basename(name, ".onnx"), model, normalization: found, digest, note: undefined };
  const origin = { architecture: basename(spec), width: null, init: null };
  const plan = withSettings({ origin, data, network, config, placement: placementOf(exits, measured) }, flags.provider);
  const run = { flags, plan, source: data.source, backend: backendOf(flags), lines: EPOCH_LINES };
  return { conversion, run, sha256: given.sha256 };
}

/** A conversion on few images has many short passes. */
const EPOCH_LINES = 20;

/** What a conversion starts from. */
export interface OpenedConversion {
  readonly given: OnnxModel;
  /** What the model is called in errors. */
  readonly name: string;
  readonly data: TrainingData;
  readonly normalization: ReturnType<typeof normalizationOf>;
}

const THRESHOLDS = { kind: "thresholds" } as const;
const TENTH = { kind: "share", share: 0.1 } as const;

/** Opens the model, and data that fit it.
 * @throws DynnError the errors of reading model and data */
export async function openConversion(spec: string, flags: ConvertFlags): Promise<OpenedConversion> {
  const normalization = normalizationOf(flags);
  const matching = await matchingOf(flags);
  const { source: given, name } = await openOnnx(spec);
  const fit = (data: Dataset): Dataset => {
    const imageSize = [data.shape[1], data.shape[2]] as const;
    return fitData(dynamicModel(given, { name, imageSize, final: flags.final, ...normalization }), data, matching);
  };
  const { validation = flags.gates === undefined ? THRESHOLDS : TENTH } = flags;
  return { given, name, data: await openTrainingData({ ...flags, validation, fit, matching }), normalization };
}

/** The placement of the exits. Undefined for exits that the call names, because their cost does not
 * place them. */
function placementOf(exits: ExitSpec, measured: MeasuredPlaces | undefined): Placement | undefined {
  if (exits.kind === "values") return undefined;
  if (!measured) return { cost: "macs" };
  const { batch, places, roundSpread } = measured;
  const spread = roundSpread === undefined ? {} : { roundSpread };
  return { cost: "time", batch, places: places.map((place) => ({ ...place })), ...spread };
}

interface Measuring {
  readonly source: OnnxModel;
  readonly data: Dataset;
  readonly request: ConversionRequest;
  readonly flags: ConvertFlags;
  readonly signal: AbortSignal;
}

/** The measured cost of places. Undefined when the cost is counted. A resumed run keeps the times
 * of its start: with new times its exits might get other places. */
async function measuredPlaces({
  source,
  data,
  request,
  flags,
  signal,
}: Measuring): Promise<MeasuredPlaces | undefined> {
  if (flags.cost === "macs") return undefined;
  const kept = flags.resume ? await keptSettings(runFolderOf(flags)) : undefined;
  const placement = placementSchema.safeParse(kept?.placement).data;
  if (placement?.cost === "time" && placement.batch === flags.timeBatch) return placement;
  const timing = { backend: backendOf(flags), batch: flags.timeBatch, now: () => performance.now(), signal };
  return measureConversion(source, data, { ...timing, request });
}
