/** @file Runs the model on the clean samples under its policy. Every attack is compared with these
 *  results. */

import type { Victim } from "../../attacks/goals/victim.js";
import { type Sample, samplesOf } from "../../attacks/sample.js";
import type { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import { readImages } from "../../data/dataset.js";
import { checkApart } from "../../data/split.js";
import { calibrateUnits } from "../../dynamic/choose/calibrate-units.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { type Routed, route } from "../../dynamic/route/route.js";
import { Forward } from "../../dynamic/run/forward.js";
import { GatedRuns, measuredUnits, unitShares } from "../../dynamic/run/gated-runs.js";
import { type Policy, singleExitPolicy } from "../../schema/policy.js";
import { isRoutable } from "../../schema/units.js";
import type { PolicyChoice } from "../policy.js";
import type { AuditOptions } from "./options.js";

export interface AuditedModel {
  readonly victim: Victim;
  readonly forward: Forward;
  readonly samples: readonly Sample[];
  readonly labels: Int32Array;
  /** Logits of the clean samples. */
  readonly logits: Logits;
  readonly routed: readonly Routed[];
  /** Whether two runs on the same images gave different logits. */
  readonly random: boolean;
}

/** The options that the clean samples need. */
type Prepared = Pick<AuditOptions, "model" | "data" | "backend" | "batch" | "signal" | "policy" | "onProgress">;

/** Compiles the model, resolves the policy, and runs the clean samples.
 * @throws DynnError 'data/shape', 'data/label', 'policy/validation' */
export async function prepare(options: Prepared): Promise<AuditedModel> {
  const { data, backend, batch, signal } = options;
  if (options.policy.kind === "calibrated") await checkApart(data, options.policy.validation);
  const policy = await resolvePolicy(options.policy, options);
  const model = underPolicy(options.model, policy);
  const forward = await Forward.compile(model, backend);
  const images = await readImages(data);
  const logits = await forward.logits(images, {
    batch,
    signal,
    onProgress: (done, total) => options.onProgress?.({ phase: "clean images", done, total }),
  });
  const labels = data.labels.slice(0, data.count);
  const samples = samplesOf({ images, labels, logits });
  const random = await differs(logits, images, forward, batch);
  return { victim: { model, policy }, forward, samples, labels, logits, routed: route(logits, policy), random };
}

/** Number of images that are run twice. */
const RUN_TWICE = 16;

/** Whether a second run on the first images gives other logits than the first run. */
async function differs(logits: Logits, images: Images, forward: Forward, batch: number): Promise<boolean> {
  const few = Math.min(RUN_TWICE, images.count);
  const again = await forward.logits(images.rows(0, few), { batch: Math.min(few, batch) });
  return logits.exits.some((_, k) =>
    Array.from({ length: few }, (_, i) => i).some((i) => again.row(k, i).some((v, j) => v !== logits.row(k, i)[j])),
  );
}

async function resolvePolicy(choice: PolicyChoice, options: Prepared): Promise<Policy> {
  const { model, backend, batch, signal, onProgress } = options;
  if (choice.kind === "fixed") return choice.policy;
  if (!isRoutable(model)) return singleExitPolicy(choice.rule, choice.fallback);
  const { validation } = choice;
  const runs = new GatedRuns(model, backend);
  const records = { images: await readImages(validation), labels: validation.labels };
  const measured = measuredUnits(runs, records, {
    batch,
    signal,
    onProgress: (done, total) => onProgress?.({ phase: "validation images", done, total }),
  });
  try {
    return (await calibrateUnits(measured, { ...choice, ...unitShares(model), gates: model.gates.length })).policy;
  } finally {
    await runs.release();
  }
}
