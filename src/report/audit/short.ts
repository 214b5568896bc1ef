/** @file "In short" of an audit: the network without an attack, then the attack that takes most
 *  answers, the attack that takes most of the saving, and what casts doubt on both. */
import { type AttackRecord, type AuditRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import * as write from "../shared/format.js";
import { type Html, html } from "../shared/html.js";
import { baselineWords, bestFixed } from "./skipping-words.js";
import { answerName, attackWarnings, cleanAccuracyOf, figure, isStatic, lost } from "./words.js";

/** Three to five sentences. */
export const auditShort = (record: AuditRecord): Html[] => [
  ...cleanSentences(record),
  ...attackSentences(record),
  ...doubt(record),
];

/** Accuracy and cost without an attack, and the accuracy that the saving costs. */
export function cleanSentences(record: AuditRecord): Html[] {
  const { clean, data } = record;
  const last = clean.accuracyIntervals[clean.accuracyIntervals.length - 1];
  if (isStatic(record))
    return [
      html`On ${write.samples(data.samples)} the network answers ${figure(last)} right.`,
      html`It has one exit: every input has the full cost, and an attack cannot raise it.`,
    ];
  const { accuracy, meanCostFraction } = clean.routed;
  const routed = html`On ${write.samples(data.samples)} the routed network answers ${figure(write.rateOf(accuracy, data.samples))} right for <b>${write.percent(meanCostFraction)}</b> of the full cost.`;
  // The answer of a single exit is the routed answer, so its accuracy is no comparison.
  if (record.model.exits.length === 1) return [routed, ...skippingSentences(record)];
  return [
    routed,
    html`The saving of ${write.percent(1 - meanCostFraction)} by ${savers(record)} ${priceOf(last.value - accuracy)} compared with the final exit, which is right on ${figure(last)}.`,
  ];
}

/** What closed gates save and cost, and whether fixed blocks would do as well. */
function skippingSentences({ clean: { routed, skipping } }: AuditRecord): Html[] {
  const saving = html`Closed gates save ${write.percent(1 - routed.meanCostFraction)}`;
  const open = skipping?.difficulty[0];
  const fixed = bestFixed(skipping?.baselines?.compared ?? []);
  return [
    open
      ? html`${saving}. With all gates open the network is right on ${figure(open.accuracy)}, so skipping ${priceOf(open.accuracy.value - routed.accuracy)}.`
      : html`${saving}.`,
    ...(fixed ? [html`Against the better fixed blocks of equal cost: ${baselineWords(fixed)}`] : []),
  ];
}

/** What saves work in the network. */
const savers = ({ model: { exits, gates } }: AuditRecord): string =>
  [...(exits.length > 1 ? ["early exits"] : []), ...(gates ? ["closed gates"] : [])].join(" and ");

function priceOf(loss: number): string {
  if (Math.abs(loss) < 0.0005) return "costs no accuracy";
  return loss > 0 ? `costs ${write.points(loss)} of accuracy` : `gains ${write.points(-loss)} of accuracy`;
}

/** The most harmful attack on answers, and the one on the saving. */
function attackSentences(record: AuditRecord): Html[] {
  if (record.attacks.length === 0) return [html`No attack was run, so this report does not measure robustness.`];
  const { harmful, slowest } = worstOf(record);
  return [
    harmful ? harm(record, harmful) : html`The attacks had no right answer to attack.`,
    ...(slowest ? [slowdown(record, slowest)] : []),
  ];
}

/** The attack that takes most right answers, and the one that raises the cost most. */
export function worstOf(record: AuditRecord) {
  const { attacks } = record;
  const judged = attacks.filter((attack) => attack.nothingToAttack !== NONE_RIGHT);
  return {
    harmful: most(judged, (attack) => dropOf(record, attack)),
    slowest: isStatic(record) ? undefined : most(attacks, (attack) => attack.routed.meanCostFraction),
  };
}

const dropOf = (record: AuditRecord, { answer, robustAccuracy }: AttackRecord): number =>
  cleanAccuracyOf(record, answer) - robustAccuracy.value;

/** The first attack of the largest size. */
const most = (attacks: readonly AttackRecord[], size: (attack: AttackRecord) => number): AttackRecord | undefined =>
  [...attacks].sort((a, b) => size(b) - size(a))[0];

function harm(record: AuditRecord, attack: AttackRecord): Html {
  const { name, norm, radius, answer, robustAccuracy } = attack;
  if (dropOf(record, attack) <= 0) return html`No attack lowers the accuracy of the answer by which it is judged.`;
  const whose = isStatic(record) ? "answer" : answerName(answer);
  return html`<b>${name}</b> (${write.budget(norm, radius)}) takes most right answers: it leaves the ${whose} right on ${figure(robustAccuracy)}, from ${write.percent(cleanAccuracyOf(record, answer))}${resistWords(record, attack)}.`;
}

function slowdown({ clean }: AuditRecord, { name, routed }: AttackRecord): Html {
  const [before, after] = [clean.routed.meanCostFraction, routed.meanCostFraction];
  if (after - before < 0.005) return html`No attack raises the mean cost by more than half a point.`;
  return html`Cost rises most under <b>${name}</b>: from ${write.percent(before)} to <b>${write.percent(after)}</b>, so ${write.percent(lost(1 - before, 1 - after))} of the saving is gone.`;
}

/** How many samples resist all attacks within the budget of this one. */
function resistWords({ attacks, worstCase, data }: AuditRecord, { norm, radius, answer }: AttackRecord): string {
  const budget = worstCase?.find((one) => one.norm === norm && one.radius === radius);
  const judged = budget?.answers.find((one) => one.answer === answer);
  if (judged === undefined || attacks.length < 2) return "";
  return `; ${judged.standing} of ${data.samples} resist all attacks within that budget`;
}

/** Numbers that have a warning, counted. */
function doubt(record: AuditRecord): Html[] {
  const warnings = attackWarnings(record).length;
  if (warnings === 0) return [];
  return [
    html`Read the <a href="#attacks">warnings of the attacks</a> (${warnings}) first: robust accuracy may be lower than it seems.`,
  ];
}

/** What the exits knew before the one that answered. Records of earlier releases lack the second
 * part. */
export function thinkingWords({ clean: { overthinking, underthinking, confusion } }: AuditRecord): string {
  const over = `${write.percent(overthinking.wasteful)} of the samples were already right at an exit before the one that answered; ${write.percent(overthinking.destructive)} are right at some exit and wrong at the final one.`;
  const under =
    underthinking === undefined
      ? ""
      : ` ${write.percent(underthinking)} stop at a wrong exit, while the final one is right.`;
  if (!confusion || confusion.right === null || confusion.wrong === null) return `${over}${under}`;
  return `${over}${under} Confusion, the disagreement of the exits, is ${deviations(confusion.wrong)} where the final exit is wrong and ${deviations(confusion.right)} where it is right.`;
}

/** Standard deviations, with a true minus sign. */
const deviations = (value: number): string => value.toFixed(2).replace("-", "−");
