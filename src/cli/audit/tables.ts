/** @file Prints the audit record as tables for a terminal. */

import { counted, showCount } from "../../core/units.js";
import { skippingWords } from "../../report/audit/skipping-words.js";
import { attackWarnings, isDoubted, surrogateLines } from "../../report/audit/words.js";
import {
  deviation,
  judgedAnswers,
  SEEDS_MEAN,
  seeded,
  seedRange,
  WORST_CASE_MEANS,
  worstCaseLines,
} from "../../report/audit/worst-case.js";
import { attackRates, budget, nothingLines, radius } from "../../report/shared/format.js";
import { batchLine } from "../../report/shared/memory.js";
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";
import { NEVER_FIRES, showGateRule, showThresholds } from "../../schema/policy.js";
import { isRoutable, showUnits } from "../../schema/units.js";
import {
  heading,
  notesAndWarnings,
  percent,
  readingNotes,
  showRate,
  showTemperatures,
  table,
} from "../shared/table.js";

export const auditTables = (record: AuditRecord): string =>
  [
    titleOf(record),
    said(record),
    exitTable(record),
    gateTable(record),
    routedLine(record),
    thinkingLine(record),
    skippingLines(record),
    attackTable(record),
    seedsTable(record),
    worstCaseTable(record),
    curveTable(record),
    warningLines(record),
    note(record),
  ].join("");

function warningLines(record: AuditRecord): string {
  const warnings = attackWarnings(record);
  return warnings.length === 0 ? "" : `${warnings.map((text) => `\n* Warning: ${text}`).join("")}\n`;
}

const note = ({ attacks }: AuditRecord): string =>
  `\nIn brackets: 95 % Wilson intervals.${attacks.length === 0 ? "" : ATTACK_NOTE}\n`;

const ATTACK_NOTE =
  " Robust accuracy: share of all samples with a right answer after the attack.\nSuccess: share of the samples that the attack could win. 8-bit: the same after rounding the images to 8 bits.";

const titleOf = ({ model, data, memory }: AuditRecord): string =>
  `${heading(`${model.name} on ${data.name}`)}${counted(data.samples, "sample")}, seed ${data.seed}, ${showCount(model.parameters)} parameters, ${showUnits(model)}\n${batchLine(memory)}${readingNotes(model)}`;

const said = ({ data, warnings }: AuditRecord): string => notesAndWarnings(data.notes, warnings);

/** A static network has one answer, at the full cost. */
function exitTable({ model, clean }: AuditRecord): string {
  const whole = !isRoutable(model);
  const rows = model.exits.map((exit, k) => [
    ...[whole ? model.name : exit.name, showCount(exit.macs)],
    ...(whole ? [] : [percent(exit.costFraction)]),
    showRate(clean.accuracyIntervals[k]),
    ...(whole ? [] : [String(clean.routed.exitCounts[k])]),
  ]);
  const heads = whole ? ["MACs", "accuracy"] : ["MACs", "cost", "accuracy", "stop here"];
  return (
    heading(whole ? "Clean images" : "Exits, clean images") +
    table([{ head: whole ? "network" : "exit", align: "left" }, ...heads.map((head) => ({ head }))], rows)
  );
}

function gateTable({ model: { gates = [] }, clean: { routed } }: AuditRecord): string {
  if (gates.length === 0) return "";
  const rate = (share: number | null | undefined): string => (typeof share === "number" ? percent(share) : "-");
  const rows = gates.map(({ name, macs, costFraction, exit }, k) => [
    ...[name, showCount(macs), percent(costFraction), exit],
    rate(routed.paths?.openRates[k]),
  ]);
  const heads = [{ head: "MACs" }, { head: "cost" }, { head: "before exit", align: "left" as const }, { head: "open" }];
  return heading("Gates, clean images") + table([{ head: "gate", align: "left" }, ...heads], rows);
}

function routedLine({ clean, data, model }: AuditRecord): string {
  if (!isRoutable(model)) return "";
  const { rule, thresholds, fallback, temperatures, accuracy, meanCostFraction } = clean.routed;
  const shown = thresholds.every((t) => t === NEVER_FIRES[rule])
    ? "never stop early"
    : `threshold ${showThresholds(clean.routed)}`;
  const chosen = data.validation ? `, chosen on ${data.validation.samples} other samples` : "";
  return `\nRouted: ${percent(accuracy)} right at ${percent(meanCostFraction)} of the cost  (${rule}, ${shown}${chosen}, fallback ${fallback}${showTemperatures(temperatures)}${showGateRule(clean.routed)})\n`;
}

function thinkingLine({ clean, model }: AuditRecord): string {
  if (model.exits.length === 1) return "";
  const { overthinking, underthinking, confusion } = clean;
  const shares = [
    `overthinking ${percent(overthinking.wasteful)} wasteful, ${percent(overthinking.destructive)} destructive`,
    ...(underthinking === undefined ? [] : [`underthinking ${percent(underthinking)}`]),
    ...(confusion
      ? [`confusion ${deviations(confusion.right)} where right, ${deviations(confusion.wrong)} where wrong`]
      : []),
  ];
  return `Exits: ${shares.join("; ")}\n`;
}

function skippingLines(record: AuditRecord): string {
  const said = skippingWords(record);
  return said.length === 0 ? "" : heading("Blocks") + linesOf(said.map(([measure, words]) => `${measure}: ${words}`));
}

const deviations = (value: number | null): string => (value === null ? "-" : value.toFixed(2));

function attackTable({ attacks, model }: AuditRecord): string {
  if (attacks.length === 0) return "";
  const routed = isRoutable(model);
  const without = (row: readonly string[], left: readonly number[]): readonly string[] =>
    routed ? row : row.filter((_, i) => !left.includes(i));
  const left = ["attack", "budget"].map((head) => ({ head, align: "left" as const }));
  const right = (heads: readonly string[]) => heads.map((head) => ({ head }));
  return [
    heading("Attacks"),
    linesOf(surrogateLines(attacks)),
    table(
      [...left, ...right([...(routed ? ["judged"] : []), "robust %", "success %", "8-bit %"])],
      attacks.map((a) => without(successRow(a), [2])),
    ),
    linesOf(nothingLines(attacks)),
    "\n",
    table(
      [...left, ...right([...(routed ? ["routed %", "cost %"] : []), "mean L2", "gradients", "time"])],
      attacks.map((a) => without(costRow(a), [2, 3])),
    ),
    gatesTable(attacks),
    attacks.some((a) => a.early) ? "\n" : "",
    ...attacks.map(earlyLine),
  ].join("");
}

/** Mean, standard deviation and interval over seeds. */
function seedsTable(record: AuditRecord): string {
  const rows = seeded(record);
  if (rows.length === 0) return "";
  const heads = ["judged", "robust %", "sd", "95 % of mean", "success %", "sd", "cost %", "sd"];
  const pair = (spread: (typeof rows)[number]["seeds"]["robustAccuracy"]) => [bare(spread.mean), deviation(spread)];
  return (
    heading(`Attacks over ${seedRange(rows[0].seeds)}`) +
    table(
      [{ head: "attack", align: "left" }, ...heads.map((head) => ({ head }))],
      rows.map(({ name, answer, seeds }) => [
        ...[name, answer, ...pair(seeds.robustAccuracy)],
        `${bare(seeds.robustAccuracy.low)}-${bare(seeds.robustAccuracy.high)}`,
        ...pair(seeds.successRate),
        ...pair(seeds.meanCostFraction),
      ]),
    ) +
    `sd: standard deviation, in points. ${SEEDS_MEAN}\n`
  );
}

/** How many samples resist all attacks, per budget and answer. */
function worstCaseTable(record: AuditRecord): string {
  const { worstCase = [], data } = record;
  if (worstCase.length === 0) return "";
  const rows = worstCase.flatMap((one) =>
    judgedAnswers(record, one).map(({ answer, standing, robustAccuracy }) => [
      ...[budget(one.norm, one.radius), answer, `${standing} of ${data.samples}`, bareRate(robustAccuracy)],
    ]),
  );
  const left = ["budget", "answer"].map((head) => ({ head, align: "left" as const }));
  return (
    heading("Worst case over attacks, sample by sample") +
    table([...left, { head: "resist all" }, { head: "robust %" }], rows) +
    linesOf([WORST_CASE_MEANS, ...worstCaseLines(record)])
  );
}

function successRow(a: AttackRecord): string[] {
  const { robust, success } = attackRates(a, bareRate, "-");
  const { success8bit } = attackRates(a, ({ value }) => bare(value), "-");
  const star = isDoubted(a) ? "*" : "";
  return [a.name, budget(a.norm, a.radius), a.answer, `${robust}${star}`, success, success8bit];
}

const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

const costRow = (a: AttackRecord): string[] => [
  a.name,
  budget(a.norm, a.radius),
  bare(a.routed.accuracy),
  bare(a.routed.meanCostFraction),
  a.l2Mean === null ? "-" : a.l2Mean.toFixed(3),
  showCount(a.gradientEvaluations),
  `${a.seconds.toFixed(1)} s`,
];

/** Percentages without the sign, for columns whose header has it. */
const bare = (share: number): string => (100 * share).toFixed(1);
const bareRate = ({ value, low, high }: Rate): string => `${bare(value)} (${bare(low)}-${bare(high)})`;

const earlyLine = ({ name, early }: AttackRecord): string =>
  early
    ? `${name}: all early labels changed ${showRate(early.labels)}\n${" ".repeat(name.length)}  ${early.full ? "the routed answer changes" : "a wrong early exit fires"} ${showRate(early.firing)}; ${early.alreadyDisagree} disagreed when clean\n${fullLine(name, early)}`
    : "";

/** The full network, whose label an early attack keeps. */
const fullLine = (name: string, { full }: NonNullable<AttackRecord["early"]>): string =>
  full
    ? `${" ".repeat(name.length)}  full network ${showRate(full.accuracy)} right when clean, ${showRate(full.attacked)} attacked; ${percent(full.disagreement.value)} routed otherwise when clean\n`
    : "";

/** The effect of each attack on gates. */
function gatesTable(attacks: readonly AttackRecord[]): string {
  const rows = attacks.flatMap((a) => (a.gates ? [{ ...a, gates: a.gates }] : []));
  if (rows.length === 0) return "";
  const heads = [{ head: "recovery %" }, { head: "gates changed %" }];
  const reasons = [...new Set(rows.flatMap(({ gates }) => gates.noRecovery ?? []))];
  return `\n${table(
    [{ head: "attack", align: "left" }, { head: "budget", align: "left" }, ...heads],
    rows.map(({ name, norm, radius: most, gates: { recovery, changed } }) => [
      ...[name, budget(norm, most), recovery === null ? "undefined" : bareRate(recovery)],
      changed === null ? "-" : bare(changed),
    ]),
  )}${linesOf(reasons.map((why) => `Recovery is undefined where ${why}.`))}`;
}

function curveTable({ curves }: AuditRecord): string {
  const [first] = curves;
  if (!first) return "";
  const columns = [
    { head: "robust accuracy at radius", align: "left" as const },
    ...first.points.map((p) => ({ head: p.radius === 0 ? "clean" : radius(first.norm, p.radius) })),
  ];
  return (
    heading("Robustness by radius") +
    table(
      columns,
      curves.map(({ name, points, vanishedGradients, nothingToAttack }) => [
        vanishedGradients ? `${name}*` : name,
        ...points.map((p) => (nothingToAttack === undefined ? percent(p.robustAccuracy.value) : "-")),
      ]),
    ) +
    linesOf(nothingLines(curves))
  );
}
