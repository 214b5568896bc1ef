/** @file Measures a network of the zoo as it is published: accuracy of each exit, accuracy and
 *  cost of the routed answer, robust accuracy at small radii. */

import { present } from "../../core/present.js";
import { counted } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { type Dataset, subset } from "../../data/dataset.js";
import type { TrainingSplit } from "../../data/training-split.js";
import { calibrate, type Measured, outcomesAt } from "../../dynamic/choose/calibrate.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { argmax } from "../../dynamic/route/policy.js";
import { unitShares } from "../../dynamic/run/gated-runs.js";
import type { OnnxModel } from "../../onnx/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { Rate } from "../../schema/numbers.js";
import { type Policy, singleExitPolicy } from "../../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET } from "../../schema/target.js";
import type { ZooResult } from "../../schema/zoo.js";
import { evaluatedLogits } from "../../training/run/evaluate.js";
import { audit } from "../audit/index.js";
import type { Progress } from "../audit/options.js";
import { gateBaselines } from "../gates/baselines.js";

/** What {@link measureNetwork} needs. */
export interface ZooMeasurement {
  /** The records of its training. The test records are the first ones that the network sees. */
  readonly data: Pick<TrainingSplit, "validation" | "test">;
  readonly backend: Backend;
  /** Images in one run. */
  readonly batch: number;
  /** Static networks that a network with gates is compared with. */
  readonly statics?: readonly DynamicModel[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The measured facts of a network, and the policy for the first goal. */
export interface MeasuredNetwork extends Pick<ZooResult, "parameters" | "exits" | "routed" | "gates"> {
  /** Undefined for a network with one exit. */
  readonly policy: Policy | undefined;
}

/** Goals of the thresholds. The file gets the thresholds of the first one. */
const TARGETS: readonly (readonly [name: string, target: CalibrationTarget])[] = [
  ["rad 5 %", DEFAULT_TARGET],
  ["budget 50 %", { kind: "budget", cost: 0.5 }],
];

const FRAME = { rule: "max-softmax", fallback: "final" } as const;

/** Radii, steps and test records of the robust accuracy. */
const ROBUST = { radii: [1 / 255, 2 / 255], steps: 10, records: 200 } as const;

/** Measures a network on validation and test records.
 * @throws DynnError 'data/shape', 'runtime/run', or the signal's reason when aborted */
export async function measureNetwork(
  source: Pick<OnnxModel, "graph" | "metadata">,
  measurement: ZooMeasurement,
): Promise<MeasuredNetwork> {
  const model = dynamicModel(source);
  const { data } = measurement;
  const measured = {
    validation: await answersOf(model, data.validation, "validation records", measurement),
    test: await answersOf(model, testOf(data), "test records", measurement),
  };
  const chosen = model.exits.length > 1 ? TARGETS.map(([name, target]) => routed(model, name, target, measured)) : [];
  const policy = chosen[0]?.policy;
  return {
    parameters: model.parameters,
    exits: model.exits.map(({ name, macs, costFraction }, k) => ({
      ...{ name, macs, costFraction },
      validation: rightAt(measured.validation, k),
      test: rightAt(measured.test, k),
    })),
    routed: chosen.map(({ record }) => record),
    ...(model.gates.length > 0 ? { gates: await gatesOf(model, policy, measurement) } : {}),
    policy,
  };
}

/** What the gates do on the test records, beside networks without decisions. */
async function gatesOf(
  model: DynamicModel,
  policy: Policy = singleExitPolicy(FRAME),
  { data, statics, ...how }: ZooMeasurement,
): Promise<ZooResult["gates"]> {
  const { validation } = data;
  const found = await gateBaselines({ ...how, model, policy, statics, data: testOf(data), validation, seed: 0 });
  const answersOf = ({ value }: Rate) => ({ right: Math.round(value * found.samples), count: found.samples });
  return {
    test: answersOf(found.accuracy),
    cost: found.meanCostFraction,
    gates: model.gates.map(({ name, macs }, k) => ({ name, macs, openRate: found.openRates[k] })),
    baselines: found.compared.map(({ accuracy, meanCostFraction: cost, gain: _gain, ...rest }) => ({
      ...rest,
      ...{ test: answersOf(accuracy), cost },
    })),
  };
}

const testOf = ({ test }: Pick<TrainingSplit, "test">): Dataset => present(test, "the test records of a network");

const answersOf = (
  { graph, exits, gates }: DynamicModel,
  dataset: Dataset,
  phase: string,
  { backend, batch, signal, onProgress }: ZooMeasurement,
): Promise<Measured> =>
  evaluatedLogits(graph, exits, dataset, backend, {
    ...{ batch, signal },
    gates:
      gates.length > 0 ? gates.map(({ name, score, value, branch }) => ({ name, score, value, branch })) : undefined,
    onProgress: (done, total) => onProgress?.({ phase, done, total }),
  });

function rightAt({ logits, labels }: Measured, exit: number): { right: number; count: number } {
  let right = 0;
  for (let i = 0; i < labels.length; i++) right += Number(argmax(logits.row(exit, i)) === labels[i]);
  return { right, count: labels.length };
}

/** Digits of a threshold in a published file. */
const DIGITS = 4;

function routed(
  model: DynamicModel,
  name: string,
  target: CalibrationTarget,
  { validation, test }: Readonly<Record<"validation" | "test", Measured>>,
): { readonly record: ZooResult["routed"][number]; readonly policy: Policy } {
  const shares = unitShares(model);
  const { policy } = calibrate(validation, { ...FRAME, ...shares, target });
  const thresholds = policy.thresholds.map((t) => Number(t.toFixed(DIGITS)));
  const [{ accuracy, cost }] = outcomesAt(test, { ...FRAME, ...shares, lists: [thresholds] });
  const count = test.labels.length;
  return {
    record: { target: name, thresholds, test: { right: Math.round(accuracy * count), count }, cost },
    policy: { ...policy, thresholds },
  };
}

/** PGD on the final exit and on the routed answer, on the first test records.
 * @throws DynnError as `audit`, or the signal's reason when aborted */
export async function robustAccuracy(
  source: Pick<OnnxModel, "graph" | "metadata">,
  policy: Policy = singleExitPolicy(FRAME),
  { data, backend, batch, signal, onProgress }: ZooMeasurement,
): Promise<ZooResult["robust"]> {
  const model = dynamicModel(source);
  const test = testOf(data);
  const records = Uint32Array.from({ length: Math.min(ROBUST.records, test.count) }, (_, i) => i);
  const { record } = await audit({
    ...{ model, backend, batch, signal, onProgress, seed: 0, version: VERSION, attacks: [] },
    data: subset(test, records),
    policy: { kind: "fixed", policy },
    curves: { radii: ROBUST.radii, steps: ROBUST.steps },
    now: () => 0,
  });
  return record.curves.flatMap(({ name, points }) =>
    points.slice(1).map(({ radius, robustAccuracy }) => ({
      attack: `${name}, ${counted(ROBUST.steps, "step")}`,
      radius,
      test: { right: Math.round(robustAccuracy.value * records.length), count: records.length },
    })),
  );
}
