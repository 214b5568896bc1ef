/** @file One finding per attack in words, the most dangerous first, and the warnings about numbers.
 *  The danger of an attack is its largest relative loss. A loss is one of three: right answers (of
 *  the attacked exit or of the routed network), the saving, or trust. Trust is lost by a wrong
 *  early answer that the final exit would not confirm. */
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";
import { isRoutable } from "../../schema/units.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";

export interface Finding {
  readonly attack: AttackRecord;
  /** 0: the attack changes nothing. 1: everything is lost. */
  readonly danger: number;
  readonly text: Html;
}

/** A network without early exits and gates has neither a saving nor a routing that can be
 * attacked. */
export const isStatic = (record: AuditRecord): boolean => !isRoutable(record.model);

/** One finding per attack, the most dangerous first. Attacks of equal danger stay in the record's
 * order. */
export const findings = (record: AuditRecord): Finding[] =>
  record.attacks
    .map((attack) => ({ attack, danger: dangerOf(record, attack), text: findingText(record, attack) }))
    .sort((a, b) => b.danger - a.danger);

const dangerOf = (record: AuditRecord, attack: AttackRecord): number =>
  Math.max(
    lost(cleanAccuracyOf(record, attack.answer), attack.robustAccuracy.value),
    lost(record.clean.routed.accuracy, attack.routed.accuracy),
    lost(1 - record.clean.routed.meanCostFraction, 1 - attack.routed.meanCostFraction),
    attack.early?.firing.value ?? 0,
  );

/** The share of `before` that is lost: 0 when `before` is 0. */
export const lost = (before: number, after: number): number =>
  before > 0 ? Math.max(0, (before - after) / before) : 0;

/** The clean accuracy of the answer by which an attack is judged. */
export function cleanAccuracyOf(record: AuditRecord, answer: string): number {
  const { accuracyPerExit, routed } = record.clean;
  if (answer === "routed") return routed.accuracy;
  const exit = record.model.exits.findIndex(({ name }) => name === answer);
  return accuracyPerExit[exit >= 0 ? exit : accuracyPerExit.length - 1];
}

function findingText(record: AuditRecord, attack: AttackRecord): Html {
  const parts = [
    accuracyWords(record, attack),
    routedWords(record, attack),
    costWords(record, attack),
    earlyWords(attack),
  ];
  return html`<b>${attack.name}</b> (${sizeWords(attack)}) ${parts}`;
}

/** The size of the attack's change, in words. */
function sizeWords(attack: AttackRecord): string {
  if (attack.radius === null)
    return attack.l2Mean === null
      ? "no limit on the change"
      : `no limit on the change; mean L2 ${write.l2(attack.l2Mean)}`;
  const size = write.radius(attack.norm, attack.radius);
  if (attack.norm === "l0") return `at most ${size} pixels change`;
  return attack.norm === "linf"
    ? `no pixel value changes by more than ${size}`
    : `the whole image changes by at most ${size} in ${write.NORM_NAMES[attack.norm]}`;
}

function accuracyWords(record: AuditRecord, attack: AttackRecord): Html {
  if (attack.nothingToAttack !== undefined) return html`had nothing to attack: ${attack.nothingToAttack}. `;
  const whose = isStatic(record) ? "answer" : answerName(attack.answer);
  return html`leaves the ${whose} right on ${figure(attack.robustAccuracy)} of the samples, from ${write.percent(cleanAccuracyOf(record, attack.answer))}. `;
}

/** Every reason to doubt the number of an attack or a curve: vanished gradients, then flags. */
export const attackWarnings = (record: AuditRecord): string[] => [
  ...vanishedWarnings(record),
  ...record.attacks.flatMap(({ name, health }) =>
    health
      // The warning about vanished gradients says the same, with more figures.
      .filter(({ flag }) => flag !== "zero-gradient")
      .map(
        ({ flag, share, meaning }) =>
          `${name}, ${flag}${share === null ? "" : ` (${write.percent(share)})`}: ${meaning}.`,
      ),
  ),
];

/** What the attacks searched on, if not on the audited network. */
export const surrogateLines = (attacks: readonly AttackRecord[]): string[] => {
  const named = attacks.flatMap(({ surrogates }) => (surrogates ? [surrogates.join(", ")] : []));
  return [...new Set(named)].map(
    (names) => `The attacks searched on ${names}, and their images are judged on this network (transfer).`,
  );
};

/** Whether a number of the attack has a warning. */
export const isDoubted = ({ vanishedGradients, health }: AttackRecord): boolean =>
  (vanishedGradients ?? 0) > 0 || health.length > 0;

/** One warning for each attack or curve whose gradients vanished. */
const vanishedWarnings = ({ attacks, curves, data }: AuditRecord): string[] => {
  const seen = [
    ...attacks.map((a) => ({ ...a, retried: a.retriedOnMargins === true, right: a.robustAccuracy.value })),
    ...curves.map((c) => ({
      ...c,
      samples: data.samples,
      retried: true,
      right: c.points[1]?.robustAccuracy.value ?? 0,
    })),
  ];
  return seen.flatMap(({ name, vanishedGradients = 0, ...more }) =>
    vanishedGradients > 0 ? [write.vanishedText(name, vanishedGradients, more)] : [],
  );
};

/** The answer by which an attack is judged, in words. */
export const answerName = (answer: string): string =>
  answer === "routed" || answer === "final" ? `${answer} answer` : `answer of exit “${answer}”`;

/** A rate that a line break cannot split. */
export const figure = (r: Rate): Html =>
  html`<span class="figure-text"><b>${write.percent(r.value)}</b> (${write.interval(r)})</span>`;

function routedWords(record: AuditRecord, attack: AttackRecord): Html {
  if (isStatic(record) || attack.answer === "routed") return NOTHING;
  return html`The routed answer is right on ${figure(write.rateOf(attack.routed.accuracy, attack.samples))}. `;
}

function costWords(record: AuditRecord, attack: AttackRecord): Html {
  if (isStatic(record)) return NOTHING;
  const [before, after] = [record.clean.routed.meanCostFraction, attack.routed.meanCostFraction];
  if (Math.abs(after - before) < 0.005) return html`Mean cost stays at ${write.percent(after)}. `;
  const gone = lost(1 - before, 1 - after);
  const consequence =
    gone > 0.005
      ? html`: ${write.percent(gone)} of the saving is gone. `
      : html`: answers come earlier, whether right or wrong. `;
  return html`Mean cost ${after > before ? "rises" : "falls"} from ${write.percent(before)} to <b>${write.percent(after)}</b>${consequence}`;
}

function earlyWords(attack: AttackRecord): Html {
  if (attack.early === undefined) return NOTHING;
  return html`On ${figure(attack.early.firing)} an early exit fires with another label while the final exit keeps its label: a check of the full network does not detect this. `;
}
