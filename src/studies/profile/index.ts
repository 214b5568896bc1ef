/** @file The profile measures the time that early exits save on this machine. Accuracy and stops
 *  come from the logits of all exits and `route`, which is exact. Times come from the staged
 *  executor and from the static network of the same weights, which take turns. */
import { DynnError } from "../../core/errors.js";
import type { Images } from "../../core/images.js";
import { checkWhole } from "../../core/whole.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import type { MeasuredUnits } from "../../dynamic/choose/calibrate-units.js";
import type { Forward } from "../../dynamic/run/forward.js";
import { GatedRuns, measuredUnits } from "../../dynamic/run/gated-runs.js";
import type { BatchChoice } from "../../runtime/batch.js";
import { gateThresholds } from "../../schema/policy.js";
import type { ProfileRecord } from "../../schema/profile-record.js";
import { isRoutable } from "../../schema/units.js";
import { batchOf } from "../batch.js";
import { withCheckedModel } from "../checked-model.js";
import { compileNetworks, pointContestant } from "./networks.js";
import type { ProfileOptions } from "./options.js";
import { chosenPoints, distinct, fixedPoints, type Point } from "./points.js";
import { type Findings, type MeasuredPoint, recordOf } from "./record.js";
import { SharedSessions } from "./sessions.js";
import { timeAll } from "./timing.js";

export type { PointOptions, ProfileOptions } from "./options.js";

/** Profiles a model.
 * @returns the record (docs/profiling.md)
 * @throws DynnError 'cli/value', 'data/shape', 'data/label', 'policy/value', 'shape/unknown',
 *  'runtime/load', or the signal's reason when aborted */
export async function profile(given: ProfileOptions): Promise<ProfileRecord> {
  const started = given.now();
  const sorted = fitted({ ...given, batches: [...new Set(given.batches)].sort((a, b) => a - b) });
  checkBatches(sorted);
  const options = await withCheckedModel(sorted, sorted.data);
  const memory = memoryFor(options);
  const fixed = fixedPoints(options.model, options);
  const images = await readImages(options.data);
  const wanted = await measuredPoints(options, fixed, images, memory.batch);
  const forwards: Forward[] = [];
  const sessions = new SharedSessions(options.backend);
  try {
    const networks = await compileNetworks(options, images, forwards);
    const points = await compilePoints(options, wanted, sessions);
    const contestants = [...networks, ...points].map(({ contestant }) => contestant);
    const measured = await timeAll(contestants, { ...options, images });
    return recordOf({
      options,
      memory,
      networks,
      points,
      measured,
      seconds: (options.now() - started) / 1000,
    });
  } finally {
    await Promise.all([sessions, ...forwards].map((each) => each.release()));
  }
}

/** The same profile with data in the model's numbering.
 * @throws DynnError 'data/shape', 'data/label' */
function fitted(options: ProfileOptions): ProfileOptions {
  const { model, data, validation } = options;
  return { ...options, data: fitData(model, data), validation: validation && fitData(model, validation) };
}

/** @throws DynnError 'cli/value' */
function checkBatches({ data, batches, rounds }: ProfileOptions): void {
  checkWhole("rounds", rounds);
  for (const batch of batches) checkWhole("batch", batch);
  const large = batches.find((batch) => batch > data.count);
  if (large === undefined) return;
  throw new DynnError(
    "cli/value",
    `batch: ${large} is more than the ${data.count} images of ${data.name} that are timed. Time more images, or give smaller batches.`,
    { batch: large, count: data.count },
  );
}

/** The images per run in passes that are not timed. A batch size that is timed must fit too.
 * @throws DynnError 'memory/batch' */
function memoryFor({ model, backend, data, validation, batches }: ProfileOptions): BatchChoice {
  const images = data.count + (validation?.count ?? 0);
  batchOf({ model, backend, images, batch: batches.at(-1) });
  return batchOf({ model, backend, images });
}

/** The points with the logits of every exit on the reported records, under the gates of each. With
 * a choice of thresholds, also points that are chosen on the validation records. */
async function measuredPoints(
  options: ProfileOptions,
  fixed: readonly Point[],
  images: Images,
  batch: number,
): Promise<MeasuredPoint[]> {
  const { model, backend, data, validation, thresholds, signal, onProgress } = options;
  const runs = new GatedRuns(model, backend);
  const unitsOf = ({ labels }: Dataset, images: Images, phase: string): MeasuredUnits =>
    measuredUnits(
      runs,
      { images, labels },
      { batch, signal, onProgress: (done, total) => onProgress?.({ phase, done, total }) },
    );
  try {
    const units = unitsOf(data, images, "all exits");
    await units.at(gateThresholds({}, model.gates.length));
    const choosing = isRoutable(model) && thresholds === undefined ? validation : undefined;
    const chosen = choosing
      ? await chosenPoints(model, options, unitsOf(choosing, await readImages(choosing), "validation images"))
      : [];
    const points: MeasuredPoint[] = [];
    for (const point of distinct([...fixed, ...chosen]))
      points.push({ ...point, reported: await units.at(gateThresholds(point.policy, model.gates.length)) });
    return points;
  } finally {
    await runs.release();
  }
}

async function compilePoints(
  { model, batches, signal, onProgress }: ProfileOptions,
  points: readonly MeasuredPoint[],
  sessions: SharedSessions,
): Promise<Findings["points"]> {
  const compiled: Findings["points"][number][] = [];
  for (const point of points) {
    signal?.throwIfAborted();
    compiled.push({ ...point, contestant: await pointContestant(model, point, batches, sessions) });
    onProgress?.({ phase: "operating points", done: compiled.length, total: points.length });
  }
  return compiled;
}
