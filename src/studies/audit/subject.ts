/** @file The model on the clean samples, under its policy: what every attack is measured against. */

import type { Sample } from "../../attacks/attack.js";
import type { Target } from "../../attacks/objectives/target.js";
import type { Dataset } from "../../data/dataset.js";
import { checkFit } from "../../data/fit.js";
import { checkApart } from "../../data/split.js";
import { calibrate } from "../../dynamic/choose/calibrate.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { type Routed, route, rowsOf } from "../../dynamic/route/route.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { Policy } from "../../schema/policy.js";
import { singleExitPolicy } from "../../schema/policy.js";
import type { PolicyChoice } from "../policy.js";
import type { AuditOptions } from "./options.js";

export interface Subject {
  readonly target: Target;
  readonly forward: Forward;
  readonly samples: readonly Sample[];
  readonly labels: Int32Array;
  /** Clean logits, one array [n * classes] per exit, and where they lead. */
  readonly logits: readonly Float32Array[];
  readonly routed: readonly Routed[];
}

/** Compile the model, settle the policy, run the clean samples.
 * @throws DynnError 'data/shape', 'data/label', 'policy/validation' */
export async function prepare(options: AuditOptions): Promise<Subject> {
  const { model, data, backend, batch, signal } = options;
  checkFit(model, data);
  if (options.policy.kind === "calibrated") await checkApart(data, options.policy.validation);
  const forward = await Forward.compile(model, backend);
  const policy = await settlePolicy(options.policy, model, forward, options);
  const pixels = await readAll(data);
  const logits = await forward.logits(pixels, {
    batch,
    signal,
    onProgress: (done, total) => options.onProgress?.({ phase: "clean images", done, total }),
  });
  const labels = data.labels.slice(0, data.count);
  const each = pixels.length / data.count;
  const samples = Array.from(
    labels,
    (label, id): Sample => ({
      id,
      label,
      pixels: pixels.subarray(id * each, (id + 1) * each),
      clean: rowsOf(logits, model.classes, id),
    }),
  );
  return { target: { model, policy }, forward, samples, labels, logits, routed: route(logits, model.classes, policy) };
}

/** All images, float32 [n*c*h*w]. */
export async function readAll(data: Dataset): Promise<Float32Array> {
  const pixels = new Float32Array(data.count * data.shape.reduce((a, b) => a * b, 1));
  await data.read(
    Array.from({ length: data.count }, (_, i) => i),
    pixels,
  );
  return pixels;
}

async function settlePolicy(
  choice: PolicyChoice,
  model: DynamicModel,
  forward: Forward,
  { batch, signal, onProgress }: AuditOptions,
): Promise<Policy> {
  if (choice.kind === "fixed") return choice.policy;
  const { validation } = choice;
  if (model.exits.length === 1) return singleExitPolicy(choice.rule, choice.fallback);
  checkFit(model, validation);
  const logits = await forward.logits(await readAll(validation), {
    batch,
    signal,
    onProgress: (done, total) => onProgress?.({ phase: "validation images", done, total }),
  });
  const measured = { logits, labels: validation.labels, classes: model.classes };
  return calibrate(measured, { ...choice, costs: model.exits.map((e) => e.costFraction) }).policy;
}
