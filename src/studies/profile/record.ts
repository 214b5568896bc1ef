/** @file Makes the profile record from the measurements. */

import { notesOf } from "../../data/dataset.js";
import type { Measured } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel, Exit } from "../../dynamic/model/model.js";
import { costOf } from "../../dynamic/model/units.js";
import { route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import { exitHistogram } from "../../measures/cost.js";
import type { BatchChoice } from "../../runtime/batch.js";
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
import { gateRecords } from "../../schema/units.js";
import { stopsOf } from "../audit/tally.js";
import { chanceWarnings } from "../chance.js";
import type { Network } from "./networks.js";
import type { ProfileOptions } from "./options.js";
import type { Point } from "./points.js";
import { savings, timings } from "./summary.js";
import type { Contestant, Measurement, Measurements } from "./timing.js";

/** A point with the logits of every exit on the reported images, under its gates. */
export interface MeasuredPoint extends Point {
  readonly reported: Measured;
}

export interface Findings {
  readonly options: ProfileOptions;
  readonly memory: BatchChoice;
  /** The static network of the same weights, then the baseline, if one is given. */
  readonly networks: readonly Network[];
  readonly points: readonly (MeasuredPoint & { readonly contestant: Contestant })[];
  readonly measured: Measurements;
  readonly seconds: number;
}

export function recordOf(findings: Findings): ProfileRecord {
  const { options, memory, networks, points, measured, seconds } = findings;
  const [fixed, baseline] = networks.map((network) => networkRecord(network, measured));
  return profileRecordSchema.parse({
    ...header(options),
    memory,
    warnings: fixed && chanceWarnings(options.model, options.data, fixed.accuracy),
    static: fixed,
    ...(baseline ? { baseline } : {}),
    points: points.map((point) => pointRecord(point, findings)),
    steadiness: steadinessOf(worstSpread(measured)),
    seconds,
  });
}

/** Of all that was timed, how much the rounds of what differed most differ. */
function worstSpread(measured: Measurements): number | undefined {
  const spreads = [...measured.values()].flatMap((byBatch) =>
    [...byBatch.values()].flatMap(({ perImage }) => roundSpreadOf(perImage) ?? []),
  );
  return spreads.length > 0 ? Math.max(...spreads) : undefined;
}

const timesOf = (measured: Measurements, contestant: Contestant): ReadonlyMap<number, Measurement> =>
  measured.get(contestant) ?? new Map();

function header({ model, data, validation, seed, version, machine, rounds, batches }: ProfileOptions) {
  return {
    schemaVersion: PROFILE_SCHEMA_VERSION,
    tool: { name: "dynn", version },
    machine,
    model: {
      name: model.name,
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

const networkRecord = ({ model, accuracy, contestant }: Network, measured: Measurements): ProfiledNetwork => ({
  name: model.name,
  macs: macsOf(model),
  parameters: model.parameters,
  accuracy,
  timings: timings(timesOf(measured, contestant)),
});

const macsOf = ({ exits }: DynamicModel): number => (exits.at(-1) as Exit).macs;

function pointRecord(point: Findings["points"][number], findings: Findings): ProfiledPoint {
  const { options, networks, measured } = findings;
  const { model } = options;
  const { name, kind, contestant, policy, reported } = point;
  const routed = route(reported.logits, policy);
  const exitCounts = exitHistogram(stopsOf(routed), model.exits.length);
  const meanMacs = routed.reduce((sum, path) => sum + costOf(model, path), 0) / routed.length;
  const [fixed, baseline] = networks as readonly [Network, Network?];
  const macsFraction = meanMacs / macsOf(fixed.model);
  const labels = routed.map((r) => r.label);
  return {
    name,
    kind,
    ...policyRecord(policy),
    accuracy: accuracy(reported.labels, labels),
    exitCounts,
    meanMacs,
    macsFraction,
    timings: savings(timesOf(measured, contestant), macsFraction, {
      fixed: timesOf(measured, fixed.contestant),
      baseline: baseline && timesOf(measured, baseline.contestant),
    }),
  };
}
