/** @file The audit measures accuracy, cost and robustness of one network on one set of images. It
 *  runs the clean images, then each attack, then the curve over radii. It makes every number of the
 *  record. */

import { configureAttack } from "../../attacks/spec.js";
import { checkGiven } from "../../core/given.js";
import { fitData } from "../../data/fit.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import type { BatchChoice } from "../../runtime/batch.js";
import { type AttackRecord, type AuditRecord, auditRecordSchema, type GalleryItem } from "../../schema/audit-record.js";
import { type Policy, singleExitPolicy } from "../../schema/policy.js";
import type { SampleRow } from "../../schema/sample-row.js";
import { isRoutable } from "../../schema/units.js";
import { batchOf, type OpenBatch, type StudyRequest, tightest } from "../batch.js";
import { chanceWarnings } from "../chance.js";
import { withCheckedModel } from "../checked-model.js";
import { recorded } from "../defaults.js";
import { assumedPolicy, type PolicyChoice } from "../policy.js";
import { InProcess } from "../tasks/in-process.js";
import { answersKind } from "../tasks/kinds/answers.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { policyKind } from "../tasks/kinds/policy.js";
import { thresholdsKind } from "../tasks/kinds/thresholds.js";
import { attackedBy, judge, verdicts } from "./attack-step.js";
import { auditedModel } from "./audited-model.js";
import { checkAlike, onSurrogate } from "./crafting.js";
import { curveRecord } from "./curves.js";
import { pickGallery } from "./gallery.js";
import { withComparisons } from "./health.js";
import type { AuditOptions, AuditOutcome } from "./options.js";
import { auditPlan, curvesOf } from "./plan.js";
import { cleanRecord, header, skipping } from "./record.js";
import { rowsOf } from "./rows.js";
import { seedsFrom, storeOfSeed, withSpread } from "./seeds.js";
import { referencesOf } from "./skipping.js";
import { finalAccuracy } from "./tally.js";
import { WorstCase } from "./worst-case.js";

export type { SampleRow } from "../../schema/sample-row.js";
export type { PolicyChoice } from "../policy.js";
export type { AuditOptions, AuditOutcome, CurveOptions, Progress } from "./options.js";
export type { RunManifest, RunPart, RunStore, StoredRun } from "./run-store.js";
export { nameOfSeed } from "./seeds.js";

/** Audits a model.
 * @returns the record (docs/audit-json.md), the images for the report, and every adversarial image
 * @throws DynnError when model, data, policy or an attack do not fit together, or the signal's
 *  reason when aborted
 * @example
 * ```ts
 * import { audit, load, openDataset, ortNode, presetConfigs } from "dynn/node";
 * import { splitValidation, VERSION } from "dynn/node";
 *
 * const model = await load("model.onnx");
 * const data = await openDataset("sample");
 * const records = splitValidation(data, { reported: 8, validation: 100, seed: 0 });
 * const target = { kind: "rad", loss: 0.05 } as const;
 * const { record } = await audit({
 *   model,
 *   backend: ortNode(),
 *   data: records.reported,
 *   policy: {
 *     kind: "calibrated",
 *     rule: "max-softmax",
 *     fallback: "final",
 *     target,
 *     validation: records.validation,
 *   },
 *   attacks: presetConfigs(["fgsm"], { epsilon: 2 / 255, earlyExits: model.exits.length - 1 }),
 *   seed: 0,
 *   batch: 8,
 *   version: VERSION,
 *   now: () => performance.now(),
 * });
 * console.log(record.clean.routed.accuracy, record.attacks[0]?.robustAccuracy);
 * ```
 */
export async function audit(given: StudyRequest<AuditOptions>): Promise<AuditOutcome> {
  checkGiven("audit", { options: given });
  checkGiven("audit", { model: given.model, backend: given.backend, data: given.data });
  const request = recorded(given);
  const started = request.now();
  const memory = memoryFor(request);
  const onModel = fitted({ ...request, batch: memory.batch });
  checkAttacks(onModel);
  const options = await withCheckedModel(onModel, onModel.data);
  const first = await audited(options, memory);
  const seeds = seedsFrom(options.seed, options.seeds ?? 1);
  const { found, gallery, adversarial } = first;
  const [attacks, rows] = [[found.attacks], [first.rows]];
  // The images of a later seed leave the memory before the next one begins.
  for (const seed of seeds.slice(1)) {
    const run = await audited(ofSeed(options, seed, first), memory, first.worst);
    attacks.push(run.found.attacks);
    rows.push(run.rows);
  }
  const record = auditRecordSchema.parse({
    ...header(options),
    memory,
    ...found,
    attacks: withSpread(seeds, attacks),
    worstCase: first.worst.record(),
    seconds: (options.now() - started) / 1000,
  });
  return { record, gallery, rows: rows.flat(), adversarial };
}

const KINDS = { answers: answersKind, policy: policyKind, thresholds: thresholdsKind, craft: craftKind };

/** The audit with a later seed: only attacks, under the policy that the first run has. */
function ofSeed(options: AuditOptions, seed: number, { policy }: Pick<Audited, "policy">): AuditOptions {
  const { store, onProgress } = options;
  return {
    ...{ ...options, seed, policy: fixed(policy), curves: undefined, perSample: false, galleryPerAttack: 0 },
    ...{ baseline: undefined, gateBaselines: undefined },
    store: store && storeOfSeed(store, seed, options.seed),
    onProgress: onProgress && (({ phase, ...rest }) => onProgress({ ...rest, phase: `${phase}, seed ${seed}` })),
  };
}

/** The results of one seed. */
interface Audited extends Omit<AuditOutcome, "record"> {
  readonly found: Pick<AuditRecord, "clean" | "attacks" | "curves" | "warnings">;
  readonly policy: Policy;
  readonly worst: WorstCase;
}

/** @param worst of the seeds before */
async function audited(options: AuditOptions, memory: BatchChoice, worst?: WorstCase): Promise<Audited> {
  const run = new InProcess({ ...options, memory, kinds: KINDS, unfinished: async () => options.store });
  try {
    return await joinedResults(options, run, worst);
  } finally {
    await run.release();
  }
}

/** Runs the tasks, and joins their results. */
async function joinedResults(options: AuditOptions, run: InProcess, before: WorstCase | undefined): Promise<Audited> {
  const { model, data, policy, surrogate, baseline, seed, perSample, galleryPerAttack = 2 } = options;
  if (surrogate) checkAlike(model, surrogate.model);
  if (baseline) checkAlike(model, baseline, "baseline");
  // The labels have the numbering of the model already.
  const reported = run.data({ ...data, classes: undefined });
  const network = await run.planned(model, policy, reported);
  const searchedOn = surrogate && (await run.planned(surrogate.model, fixed(surrogate.policy), reported));
  const searches = options.attacks.map((config) => (surrogate ? onSurrogate(config, surrogate) : config));
  const compared = baseline && (await run.planned(baseline, fixed(singleExitPolicy()), reported));
  const curves = curvesOf(options.curves, model);
  const planned = auditPlan({
    ...{ network, surrogate: searchedOn, baseline: compared, data: reported, count: data.count, seed },
    ...{ attacks: searches, curves },
  });
  const images = await (await run.open(network.network, reported)).images();
  await run.all(planned.plan);
  const onClean = auditedModel(planned, { model: network.model, images }, run);
  const victim =
    searchedOn && surrogate
      ? { model: underPolicy(searchedOn.model, surrogate.policy), policy: surrogate.policy }
      : onClean.victim;
  const budgets = options.attacks.map((config) => configureAttack(config, onClean.victim).budget);
  const worst = before ?? new WorstCase(budgets, onClean);
  const joined: Joined = { records: [], gallery: [], rows: [], adversarial: new Map() };
  for (const [i, config] of options.attacks.entries()) {
    const how = { config, search: configureAttack(searches[i], victim), surrogates: surrogate?.names, seed };
    const attacked = attackedBy(planned.attacks[i], how, onClean, run);
    joined.records.push(judge(attacked, onClean, perSample));
    const success = verdicts(attacked.samples, attacked.logits, attacked.attack.goal.succeeded);
    joined.rows.push(...rowsOf(attacked, onClean, success, seed));
    worst.add(attacked);
    joined.gallery.push(...pickGallery(attacked, onClean, galleryPerAttack));
    joined.adversarial.set(config.name, attacked.images.data);
  }
  const { records, ...rest } = joined;
  return {
    ...rest,
    ...{ policy: onClean.victim.policy, worst },
    found: {
      warnings: chanceWarnings(model, data, finalAccuracy(onClean)),
      clean: {
        ...cleanRecord(onClean),
        ...(await skipping(options, onClean, referencesOf(planned, baseline?.name, run))),
      },
      attacks: withComparisons(records),
      curves: curves.map((curve, i) => curveRecord(curve, planned.curves[i], onClean, run)),
    },
  };
}

/** What is joined attack by attack, so that the images of one attack are in memory twice at a
 * time. */
interface Joined {
  readonly records: AttackRecord[];
  readonly gallery: GalleryItem[];
  readonly rows: SampleRow[];
  readonly adversarial: Map<string, Float32Array>;
}

const fixed = (policy: Policy): PolicyChoice => ({ kind: "fixed", policy });

/** @throws DynnError 'memory/batch' */
function memoryFor({
  attacks,
  curves,
  data,
  policy,
  surrogate,
  baseline,
  ...runs
}: OpenBatch<AuditOptions>): BatchChoice {
  const validation = policy.kind === "calibrated" ? policy.validation.count : 0;
  // The clean images, those of each attack for the first and one later seed, and copies while one
  // attack is judged.
  const seeds = (runs.seeds ?? 1) > 1 ? 2 : 1;
  const images = data.count * (seeds * attacks.length + 4) + validation;
  const gradients = attacks.length > 0 || curves !== undefined;
  const models = [runs.model, ...(surrogate ? [surrogate.model] : []), ...(baseline ? [baseline] : [])];
  return tightest(models.map((model) => batchOf({ ...runs, model, images, gradients })));
}

/** The same audit with data in the model's numbering.
 * @throws DynnError 'data/shape', 'data/label' */
function fitted(options: AuditOptions): AuditOptions {
  const { model, policy } = options;
  const data = fitData(model, options.data);
  if (policy.kind === "fixed" || !isRoutable(model)) return { ...options, data };
  return { ...options, data, policy: { ...policy, validation: fitData(model, policy.validation) } };
}

/** Checks all attacks before any work is done. The check needs the policy's rule, and not its
 * thresholds.
 * @throws DynnError 'attack/config', 'attack/unsupported' */
function checkAttacks({ model, policy, attacks }: AuditOptions): void {
  const assumed = assumedPolicy(policy, model);
  const victim = { model: underPolicy(model, assumed), policy: assumed };
  for (const config of attacks) configureAttack(config, victim);
}
