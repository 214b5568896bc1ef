/** @file Makes the profile record from the measurements. */

import { notesOf } from "../../data/dataset.js";
import type { DynamicModel, Exit } from "../../dynamic/model/model.js";
import { costOf } from "../../dynamic/model/units.js";
import { route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { exitHistogram, openRates } from "../../measures/cost.js";
import type { BatchChoice } from "../../runtime/batch.js";
import { digestRecord, madeRecord } from "../../schema/made.js";
import type { Rate } from "../../schema/numbers.js";
import { policyRecord } from "../../schema/policy.js";
import {
  PROFILE_SCHEMA_VERSION,
  type ProfiledNetwork,
  type ProfiledPoint,
  type ProfileRecord,
  profileRecordSchema,
} from "../../schema/profile-record.js";
import { readingOf } from "../../schema/reading.js";
import { roundSpreadOf, steadinessOf } from "../../schema/steadiness.js";
import type { TimesRow } from "../../schema/study/tables.js";
import { gateRecords } from "../../schema/units.js";
import { labelsOf, stopsOf } from "../audit/tally.js";
import { chanceWarnings } from "../chance.js";
import { lostAccuracy } from "../lost.js";
import { seenWarnings } from "../seen.js";
import type { Answered, InProcess } from "../tasks/in-process.js";
import type { Point } from "../tasks/kinds/points.js";
import { TIMES_FILE } from "../tasks/kinds/times.js";
import type { ProfileOptions } from "./options.js";
import type { ProfilePlan } from "./plan.js";
import { savings, timings } from "./summary.js";
import type { Measurement } from "./timing.js";

/** A point with the answers for the reported images, under its gates. */
export interface MeasuredPoint extends Point {
  readonly reported: Answered;
}

export interface Findings {
  readonly options: ProfileOptions;
  readonly memory: BatchChoice;
  /** The static network of the same weights, then the baseline, if one is given. */
  readonly models: readonly DynamicModel[];
  readonly points: readonly MeasuredPoint[];
  readonly planned: ProfilePlan;
  readonly run: InProcess;
  readonly seconds: number;
}

/** Times by contestant: first the networks that run whole, then the points. */
type Times = readonly ReadonlyMap<number, Measurement>[];

export function recordOf({ options, memory, models, points, planned, run, seconds }: Findings): ProfileRecord {
  const times = timesIn(run.rows<TimesRow>(planned.times, TIMES_FILE), models.length + points.length);
  const [fixed, baseline] = models.map((model, i) => networkRecord(model, run.measured(planned.statics[i]), times[i]));
  const compared = { fixed: times[0], baseline: models.length > 1 ? times[1] : undefined };
  const { model } = options;
  const whole = labelsOf(run.measured(planned.statics[0]).logits, 0);
  return profileRecordSchema.parse({
    ...header(options),
    memory,
    warnings: warningsOf(options, fixed.accuracy),
    static: fixed,
    ...(baseline ? { baseline } : {}),
    points: namedAlike(
      points.map((point, i) =>
        pointRecord(point, times[models.length + i], { model, full: macsOf(models[0]), whole, compared }),
      ),
    ),
    steadiness: steadinessOf(worstSpread(times)),
    seconds,
  });
}

/** Doubts about the accuracy, and about records that the network has learned from. */
function warningsOf({ model, data, validation }: ProfileOptions, accuracy: Rate): string[] | undefined {
  const used = [
    { use: "reported", data },
    ...(validation ? [{ use: "used to choose thresholds", data: validation }] : []),
  ];
  const all = [...(chanceWarnings(model, data, accuracy) ?? []), ...seenWarnings(model, used)];
  return all.length > 0 ? all : undefined;
}

/** The rows of each contestant by batch size. */
function timesIn(rows: readonly TimesRow[], contestants: number): Times {
  const times = Array.from({ length: contestants }, () => new Map<number, Measurement>());
  for (const { contestant, batch, request, ms } of rows) {
    const found = times[contestant].get(batch) ?? { perImage: [], requests: [] };
    times[contestant].set(batch, found);
    (request === null ? found.perImage : found.requests).push(ms);
  }
  return times;
}

/** Of all that was timed, how much the rounds of what differed most differ. */
function worstSpread(times: Times): number | undefined {
  const spreads = times.flatMap((byBatch) =>
    [...byBatch.values()].flatMap(({ perImage }) => roundSpreadOf(perImage) ?? []),
  );
  return spreads.length > 0 ? Math.max(...spreads) : undefined;
}

function header({ model, data, validation, seed, version, made, machine, rounds, batches }: ProfileOptions) {
  return {
    schemaVersion: PROFILE_SCHEMA_VERSION,
    tool: { name: "dynn", version },
    ...madeRecord(made),
    machine,
    model: {
      name: model.name,
      ...digestRecord(model),
      input: [...model.input.shape],
      parameters: model.parameters,
      exits: model.exits.map(({ name, macs, costFraction }) => ({ name, macs, costFraction })),
      ...readingOf(model),
      ...gateRecords(model),
    },
    data: {
      name: data.name,
      samples: data.count,
      seed,
      ...(validation ? { validation: { name: validation.name, samples: validation.count } } : {}),
      notes: notesOf(data, validation),
    },
    rounds,
    batches,
  };
}

const networkRecord = (
  model: DynamicModel,
  { logits, labels }: Answered,
  times: ReadonlyMap<number, Measurement>,
): ProfiledNetwork => ({
  name: model.name,
  macs: macsOf(model),
  parameters: model.parameters,
  accuracy: accuracy(labels, labelsOf(logits, 0)),
  timings: timings(times),
});

const macsOf = ({ exits }: DynamicModel): number => (exits.at(-1) as Exit).macs;

/** What the points are compared with. */
interface Compared {
  readonly model: DynamicModel;
  /** MACs of the static network. */
  readonly full: number;
  /** The answers of the static network. */
  readonly whole: ArrayLike<number>;
  readonly compared: Parameters<typeof savings>[2];
}

function pointRecord(
  { name, kind, policy, reported }: MeasuredPoint,
  times: ReadonlyMap<number, Measurement>,
  { model, full, whole, compared }: Compared,
): DecidedPoint {
  const routed = route(reported.logits, policy);
  const exitCounts = exitHistogram(stopsOf(routed), model.exits.length);
  const meanMacs = routed.reduce((sum, path) => sum + costOf(model, path), 0) / routed.length;
  const macsFraction = meanMacs / full;
  const labels = routed.map((r) => r.label);
  const decision = JSON.stringify(routed.map(({ stop, label, gates }) => [stop, label, gates && [...gates]]));
  const point = {
    name,
    kind,
    ...policyRecord(policy),
    accuracy: accuracy(reported.labels, labels),
    lost: lostAccuracy(reported.labels, whole, labels),
    exitCounts,
    ...(model.gates.length > 0 ? { openRates: openRates(routed.map(({ gates = [] }) => gates)) } : {}),
    meanMacs,
    macsFraction,
    timings: savings(times, macsFraction, compared),
  };
  return { decision, point };
}

interface DecidedPoint {
  readonly point: ProfiledPoint;
  /** Stop, answer and open gates for every image. */
  readonly decision: string;
}

/** Points with the name of the first chosen point that decides the same. */
function namedAlike(points: readonly DecidedPoint[]): ProfiledPoint[] {
  const first = new Map<string, string>();
  return points.map(({ point, decision }) => {
    if (point.kind !== "chosen") return point;
    const sameAs = first.get(decision);
    if (sameAs === undefined) first.set(decision, point.name);
    return sameAs === undefined ? point : { ...point, sameAs };
  });
}
