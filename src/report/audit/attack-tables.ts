/** @file Tables of the attacks: their effect on the answers, on every exit and on the cost. Every
 *  rate has its interval. */
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { type Column, table } from "../shared/table.js";
import { attackWarnings, isDoubted, isStatic, surrogateLines } from "./words.js";
import { seedsTable, worstCaseTable } from "./worst-case.js";

const name: Column<AttackRecord> = {
  head: "attack",
  cell: (a) => html`${a.name} <small>${write.budget(a.norm, a.radius)}</small>`,
};

/** A static network has one answer, so nothing is said of by which it is judged. */
const answersOf = (record: AuditRecord): readonly Column<AttackRecord>[] => [
  name,
  ...(isStatic(record) ? [] : [{ head: "judged by", align: "left", cell: (a) => a.answer } as Column<AttackRecord>]),
  {
    head: "robust accuracy",
    cell: (a) => [write.attackRates(a, write.rate).robust, isDoubted(a) ? "*" : ""],
    shade: (a) => a.robustAccuracy.value,
  },
  { head: "success", cell: (a) => write.attackRates(a, write.rate).success },
  { head: "success, 8-bit", cell: (a) => write.attackRates(a, write.rate).success8bit },
  { head: "eligible", cell: (a) => `${a.eligible} of ${a.samples}` },
  { head: "mean L2", cell: (a) => (a.l2Mean === null ? "–" : write.l2(a.l2Mean)) },
  { head: "largest L∞", cell: (a) => (a.linfMax === null ? "–" : write.linf(a.linfMax)) },
];

const cost: readonly Column<AttackRecord>[] = [
  name,
  {
    head: "routed accuracy",
    cell: (a) => write.rate(write.rateOf(a.routed.accuracy, a.samples)),
    shade: (a) => a.routed.accuracy,
  },
  { head: "mean cost", cell: (a) => write.percent(a.routed.meanCostFraction) },
  { head: "efficacy, step", cell: (a) => a.efficacyStep.toFixed(3) },
  { head: "efficacy, trapezoid", cell: (a) => a.efficacy.toFixed(3) },
];

type Early = NonNullable<AttackRecord["early"]>;
type EarlyRow = AttackRecord & { readonly early: Early };

const early: readonly Column<EarlyRow>[] = [
  name,
  { head: "every early label changed", cell: (a) => write.rate(a.early.labels) },
  { head: "an early exit fires with another label", cell: (a) => write.rate(a.early.firing) },
  { head: "disagreed when clean", cell: (a) => `${a.early.alreadyDisagree} of ${a.samples}` },
];

type Gated = NonNullable<AttackRecord["gates"]>;
type GatedRow = AttackRecord & { readonly gates: Gated };

const gated: readonly Column<GatedRow>[] = [
  name,
  {
    head: "recovery",
    cell: ({ gates: { recovery, noRecovery } }) =>
      recovery === null ? `undefined: ${noRecovery}` : write.rate(recovery),
  },
  { head: "gates changed", cell: ({ gates: { changed } }) => (changed === null ? "–" : write.percent(changed)) },
];

type Full = NonNullable<Early["full"]>;
const full: readonly Column<AttackRecord & { readonly full: Full }>[] = [
  name,
  { head: "right when clean", cell: (a) => write.rate(a.full.accuracy) },
  { head: "right when attacked", cell: (a) => write.rate(a.full.attacked) },
  { head: "routed otherwise when clean", cell: (a) => write.rate(a.full.disagreement) },
];

/** The tables of networks with gates. */
function gateTables(attacks: readonly AttackRecord[]): Html {
  const rows = attacks.filter((attack): attack is GatedRow => attack.gates !== undefined);
  const fulls = attacks.flatMap((a) => (a.early?.full ? [{ ...a, full: a.early.full }] : []));
  return html`${rows.length > 0 ? table("The effect of each attack on gates. Recovery: the share of the saved work that the attack brings back, with a 95 % bootstrap interval, in percent.", gated, rows) : NOTHING}${fulls.length > 0 ? table("The full network, with every gate open, whose label an early attack keeps. Where its clean accuracy is low, its label says little.", full, fulls) : NOTHING}`;
}

/** All tables that have rows. */
export function attackTables(record: AuditRecord): Html {
  const { attacks } = record;
  const earlyRows = attacks.filter((attack): attack is EarlyRow => attack.early !== undefined);
  return html`${surrogateLines(attacks).map((line) => html`<p>${line}</p>`)}${table("The effect of each attack on the answer that it attacks. Intervals are 95 % Wilson intervals, in percent.", answersOf(record), attacks)}
${warningNotes(record)}
${write.nothingLines(attacks).map((line) => html`<p class="soft">${line}</p>`)}${worstCaseTable(record)}${seedsTable(record)}${earlyRows.length > 0 ? table("Early attacks: the final exit keeps its label while the early exits change theirs.", early, earlyRows) : NOTHING}
${isStatic(record) ? NOTHING : table("The effect of each attack on the routed network and its cost.", [...cost], attacks)}
${gateTables(attacks)}
${isStatic(record) ? NOTHING : perExit(record)}`;
}

/** The warnings that the stars in the table stand for. */
const warningNotes = (record: AuditRecord): Html => {
  const warnings = attackWarnings(record);
  return warnings.length === 0 ? NOTHING : html`${warnings.map((text) => html`<p><b>* Warning:</b> ${text}</p>`)}`;
};

interface ExitRow {
  readonly name: string;
  readonly accuracyPerExit: readonly number[];
}

/** Accuracy of every exit, clean and under each attack. */
function perExit({ model, clean, attacks }: AuditRecord): Html {
  const columns: Column<ExitRow>[] = model.exits.map((exit, i) => ({
    head: exit.name,
    cell: (row) => write.percent(row.accuracyPerExit[i]),
    shade: (row) => row.accuracyPerExit[i],
  }));
  const rows: ExitRow[] = [{ name: "clean", accuracyPerExit: clean.accuracyPerExit }, ...attacks];
  return table(
    "Accuracy of every exit on all samples, also on those that the routed network answers earlier.",
    [{ head: "attack", cell: (row) => row.name }, ...columns],
    rows,
  );
}
