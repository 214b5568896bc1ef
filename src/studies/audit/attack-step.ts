/** @file Judges one attack of an audit, by the answers of the whole network for its images, exact
 *  and rounded to 8 bits. */

import { aimed, type SampleOutcome } from "../../attacks/attack.js";
import { earlyFires, earlyLabelsChanged } from "../../attacks/goals/early.js";
import { fullLabel, hasFull } from "../../attacks/goals/victim.js";
import { cleanOf, type Sample, type Seen, seenIn, toEightBits } from "../../attacks/sample.js";
import { type AttackConfig, type ConfiguredAttack, configureAttack } from "../../attacks/spec.js";
import { Images } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import { present } from "../../core/present.js";
import type { Tensor } from "../../core/tensor.js";
import { argmax } from "../../dynamic/route/policy.js";
import { route } from "../../dynamic/route/route.js";
import { norms } from "../../measures/norms.js";
import type { AttackRecord } from "../../schema/audit-record.js";
import type { OutcomeRow } from "../../schema/study/tables.js";
import type { InProcess } from "../tasks/in-process.js";
import { attackedImages, IMAGES_FILE, OUTCOMES_FILE, REACHED_FILE, ROSE_FILE } from "../tasks/kinds/opened.js";
import type { TaskKey } from "../tasks/task.js";
import type { Attacked } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";
import { forTarget } from "./crafting.js";
import { gatesRecord } from "./gates.js";
import { ownHealth } from "./health.js";
import { normRecord, sampleRecords, workRecord } from "./ledger.js";
import type { AttackTasks } from "./plan.js";
import { efficacies, nothingToAttack, perExit, rateOf, routedRecord } from "./tally.js";

/** The results of the tasks of one attack.
 * @param search the attack as it searched */
export function attackedBy(
  { crafted, exact, rounded }: AttackTasks,
  { config, search, surrogates, seed }: Searched,
  audited: AuditedModel,
  run: InProcess,
): Attacked {
  const { victim } = audited;
  const attack = configureAttack(config, victim);
  const samples = aimed(attack, audited.samples.slice(0, attack.samples ?? audited.samples.length), seed);
  const images = attackedImages(victim.model, run.array(crafted, IMAGES_FILE));
  const found = outcomesOf(run, crafted, images);
  const { logits } = run.measured(exact);
  return {
    // The record says how the search ran.
    attack: { ...attack, parameters: search.parameters },
    ...{ surrogates, samples, images, logits },
    outcomes: surrogates ? forTarget(found, attack, samples) : found,
    rounded: new Images(toEightBits(images.data), images.dims),
    roundedLogits: run.measured(rounded).logits,
    routed: route(logits, victim.policy),
    seconds: run.seconds(crafted),
  };
}

/** An attack of an audit, and how it searched. */
export interface Searched {
  readonly config: AttackConfig;
  readonly search: ConfiguredAttack;
  /** The networks that it searched on, if not the audited one. */
  readonly surrogates: readonly string[] | undefined;
  readonly seed: number;
}

function outcomesOf(run: InProcess, crafted: TaskKey, images: Images): SampleOutcome[] {
  const roses = run.array(crafted, ROSE_FILE).data as Int8Array;
  const reached = reachedIn(run.optional(crafted, REACHED_FILE));
  return run.rows<OutcomeRow>(crafted, OUTCOMES_FILE).map(({ eligible, success, vanished, ...spent }, i) => ({
    ...{ image: images.row(i), eligible, success, vanished, spent },
    ...(roses[i] < 0 ? {} : { lossRose: roses[i] === 1 }),
    ...(reached?.[i] ? { reached: reached[i] } : {}),
  }));
}

/** Which surrogates succeeded, per sample. Undefined for samples that were not attacked. */
function reachedIn(stored: Tensor | undefined): readonly (readonly boolean[] | undefined)[] | undefined {
  if (stored === undefined) return undefined;
  const [count, each] = stored.dims;
  const row = (i: number) => Array.from((stored.data as Int8Array).subarray(i * each, (i + 1) * each));
  return Array.from({ length: count }, (_, i) => (row(i)[0] < 0 ? undefined : row(i).map((bit) => bit === 1)));
}

/** For each sample, whether it passes a test with some logits. */
export const verdicts = (
  samples: readonly Sample[],
  logits: Logits,
  test: (sample: Sample, seen: Seen) => boolean,
): boolean[] => samples.map((sample, i) => test(sample, seenIn(logits, i)));

/** The record of an attack. */
export function judge(attacked: Attacked, audited: AuditedModel, perSample = false): AttackRecord {
  const { attack, samples, outcomes, logits, routed } = attacked;
  const { model } = audited.victim;
  const { goal, method, budget } = attack;
  const labels = audited.labels.slice(0, samples.length);
  const eligible = outcomes.map((o) => o.eligible);
  const success = verdicts(samples, logits, goal.succeeded);
  const routing = routedRecord(routed, labels, model);
  return {
    name: attack.name,
    goal: goal.name,
    method: method.name,
    access: method.access,
    ...(attacked.surrogates ? { surrogates: [...attacked.surrogates] } : {}),
    norm: budget.norm,
    radius: budget.radius ?? null,
    parameters: { ...attack.parameters },
    answer: goal.answer === "routed" ? "routed" : present(model.exits[goal.answer], "the judged exit").name,
    samples: samples.length,
    eligible: eligible.filter(Boolean).length,
    robustAccuracy: rateOf(answersRight(attacked, labels)),
    nothingToAttack: nothingToAttack(goal, attacked.outcomes, audited, labels),
    successRate: rateOf(success, eligible),
    success8bit: rateOf(verdicts(samples, attacked.roundedLogits, goal.succeeded), eligible),
    successes: success.filter((s, i) => s && eligible[i]).length,
    accuracyPerExit: perExit(logits, labels).map((r) => r.value),
    routed: routing,
    ...efficacies(model, routed),
    ...distances(
      attacked,
      success.map((s, i) => s && eligible[i]),
    ),
    ...normRecord(attacked, audited, success),
    ...earlyRecord(attacked, audited),
    ...gatesRecord(attacked, audited),
    ...workRecord(outcomes),
    health: ownHealth(attacked, audited),
    ...vanishedRecord(attacked),
    ...(perSample ? { perSample: sampleRecords(attacked, audited, success) } : {}),
    seconds: attacked.seconds,
  };
}

const vanishedRecord = ({
  attack: { goal, method },
  outcomes,
}: Attacked): Pick<AttackRecord, "vanishedGradients" | "retriedOnMargins"> => ({
  vanishedGradients: outcomes.filter((o) => o.vanished).length,
  retriedOnMargins: method.retriesVanished && goal.scaleFree !== undefined,
});

/** Whether the answer that the goal is about is the true label. */
export function answersRight({ attack, samples, logits, routed }: Attacked, labels: Int32Array): boolean[] {
  const { answer } = attack.goal;
  return samples.map((_, i) => (answer === "routed" ? routed[i]?.label : argmax(logits.row(answer, i))) === labels[i]);
}

function distances(
  { samples, outcomes }: Attacked,
  counted: readonly boolean[],
): Pick<AttackRecord, "l2Mean" | "linfMax"> {
  const all = outcomes.flatMap((o, i) => (counted[i] ? [norms(samples[i].pixels, o.image)] : []));
  if (all.length === 0) return { l2Mean: null, linfMax: null };
  return {
    l2Mean: all.reduce((sum, n) => sum + n.l2, 0) / all.length,
    linfMax: all.reduce((most, n) => Math.max(most, n.linf), 0),
  };
}

/** Both measures of the early attack: by labels alone, and by the exits that fire. */
function earlyRecord(attacked: Attacked, audited: AuditedModel): Pick<AttackRecord, "early"> {
  const { attack, samples, logits } = attacked;
  const { victim } = audited;
  if (!attack.goal.name.startsWith("early:")) return {};
  const [changed, fired] = [earlyLabelsChanged(victim), earlyFires(victim)];
  const disagree = samples.filter((s) => changed(s, cleanOf(s)));
  return {
    early: {
      labels: rateOf(verdicts(samples, logits, changed)),
      firing: rateOf(verdicts(samples, logits, fired)),
      alreadyDisagree: disagree.length,
      ...(attack.goal.losses.some(({ full }) => full) && hasFull(victim)
        ? { full: fullRecord(attacked, audited) }
        : {}),
    },
  };
}

/** How good the full network is, and how often it disagrees with the routed one. */
function fullRecord(
  { samples, logits }: Attacked,
  { victim, routed }: AuditedModel,
): NonNullable<NonNullable<AttackRecord["early"]>["full"]> {
  const labels = samples.map((sample) => fullLabel(victim, cleanOf(sample)));
  return {
    accuracy: rateOf(samples.map(({ label }, i) => labels[i] === label)),
    attacked: rateOf(samples.map(({ label }, i) => fullLabel(victim, seenIn(logits, i)) === label)),
    disagreement: rateOf(samples.map((_, i) => labels[i] !== routed[i].label)),
  };
}
