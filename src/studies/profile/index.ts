/** @file The profile measures the time that early exits save on this machine. Accuracy and stops
 *  come from the logits of all exits and `route`, which is exact. Times come from the staged
 *  executor and from the static network of the same weights, which take turns. */

import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { counted } from "../../core/units.js";
import { checkWhole } from "../../core/whole.js";
import { fitData } from "../../data/fit.js";
import type { Backend } from "../../runtime/backend.js";
import type { BatchChoice } from "../../runtime/batch.js";
import type { Machine } from "../../schema/made.js";
import { singleExitPolicy } from "../../schema/policy.js";
import type { ProfileRecord } from "../../schema/profile-record.js";
import type { DataRef } from "../../schema/study/references.js";
import { isRoutable } from "../../schema/units.js";
import { batchOf } from "../batch.js";
import { withCheckedModel } from "../checked-model.js";
import { recorded } from "../defaults.js";
import { InProcess, type PlannedModel } from "../tasks/in-process.js";
import { answersKind } from "../tasks/kinds/answers.js";
import { POINTS_FILE, pointsKind, readPoints } from "../tasks/kinds/points.js";
import { policyKind } from "../tasks/kinds/policy.js";
import { timesKind } from "../tasks/kinds/times.js";
import { staticOf } from "./networks.js";
import type { ProfileOptions, ProfileRequest } from "./options.js";
import { profilePlan, reportedAt } from "./plan.js";
import { fixedPoints } from "./points.js";
import { recordOf } from "./record.js";

export type { PointOptions, ProfileOptions, ProfileRequest } from "./options.js";

/** Profiles a model.
 * @returns the record (docs/profiling.md)
 * @throws DynnError 'cli/value', 'data/shape', 'data/label', 'policy/value', 'shape/unknown',
 *  'runtime/load', or the signal's reason when aborted */
export async function profile(request: ProfileRequest): Promise<ProfileRecord> {
  checkGiven("profile", { options: request });
  checkGiven("profile", { model: request.model, backend: request.backend, data: request.data });
  const given = { ...recorded(request), machine: machineOf(request) };
  const started = given.now();
  const sorted = fitted({ ...given, batches: [...new Set(given.batches)].sort((a, b) => a - b) });
  checkBatches(sorted);
  const options = await withCheckedModel(sorted, sorted.data);
  const memory = memoryFor(options);
  const points = fixedPoints(options.model, options);
  const run = new InProcess({ ...options, memory, kinds: KINDS });
  try {
    const data = run.data(options.data);
    const policy = singleExitPolicy({ rule: options.rules[0], fallback: options.fallback });
    const network = await run.planned(options.model, { kind: "fixed", policy }, data);
    const statics = await staticNetworks(network, options, data, run);
    const { validation, thresholds } = options;
    const isChoosing = isRoutable(options.model) && thresholds === undefined;
    const planned = profilePlan({
      ...{ network, statics, data, given: points, temperatures: options.model.policy?.temperatures },
      ...{ rules: options.rules, fallback: options.fallback, batches: options.batches, rounds: options.rounds },
      validation: isChoosing && validation ? run.data(validation) : undefined,
    });
    await run.all(planned.plan);
    const found = readPoints(run.bytes(planned.points, POINTS_FILE));
    const reported = reportedAt(planned, { network, data }, found);
    await run.all(planned.plan);
    const models = statics.map(({ model }) => model);
    const measured = found.map((point, i) => ({ ...point, reported: run.measured(reported[i]) }));
    const seconds = (options.now() - started) / 1000;
    return recordOf({ options, memory, models, points: measured, planned, run, seconds });
  } finally {
    await run.release();
  }
}

/** The machine as the caller or the backend knows it. */
const machineOf = ({ machine, made, backend }: ProfileRequest): Machine =>
  machine ?? made?.machine ?? machineBehind(backend);

const machineBehind = ({ name, machine }: Backend): Machine =>
  machine?.() ?? { cpu: "unknown", cores: 1, runtime: "unknown", engine: name, threads: null, load: 0 };

const KINDS = { answers: answersKind, policy: policyKind, points: pointsKind, times: timesKind };

/** The static network of the same weights and, where one is given, the baseline.
 * @throws DynnError 'shape/unknown', 'data/shape', 'data/label' */
async function staticNetworks(
  network: PlannedModel,
  { baseline }: ProfileOptions,
  data: DataRef,
  run: InProcess,
): Promise<PlannedModel[]> {
  const other = baseline && (await run.planned(baseline, network.choice, data));
  return [network, ...(other ? [other] : [])].map((source) => {
    const model = staticOf(source.model);
    return { ...source, model, network: run.network(model) };
  });
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
    `batch: ${large} is more than the ${counted(data.count, "image")} of ${data.name} that are timed. Time more images, or give smaller batches.`,
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
