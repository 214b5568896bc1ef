/** @file What attacks do to the cost of the dynamic network, by family, with controls and the
 *  margin. */
import type { AttackFamily, CostShift, StudyRecord } from "../../schema/study/record.js";
import type { KeyEntry } from "../plots/key.js";
import { stripsPlot } from "../plots/strips.js";
import { CLEAN, SERIES } from "../plots/svg.js";
import { html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import type { Column } from "../shared/table.js";
import { empty, type Figure, foldedTable, single } from "./figure.js";
import * as words from "./words.js";

const FAMILIES: Readonly<Record<AttackFamily, KeyEntry>> = {
  "fixed budget": { name: "fixed budget", colour: SERIES[0], dash: "none", symbol: "circle" },
  query: { name: "query", colour: SERIES[3], dash: "none", symbol: "cross" },
  "minimum norm": { name: "minimum norm", colour: SERIES[2], dash: "none", symbol: "square" },
  slowdown: { name: "slowdown (positive control)", colour: SERIES[1], dash: "none", symbol: "triangle" },
  control: { name: "noise (negative control)", colour: CLEAN, dash: "none", symbol: "diamond" },
};
const ORDER = Object.keys(FAMILIES) as AttackFamily[];

/** Attacks by family, so that families stand together. */
const sorted = (shifts: readonly CostShift[]): CostShift[] =>
  [...shifts].sort((a, b) => ORDER.indexOf(a.family) - ORDER.indexOf(b.family));

/** One row per attack, one dot per block. */
export function costFigures(record: StudyRecord, document: Document): Figure[] {
  const shifts = sorted(record.questions.cost);
  if (shifts.length === 0) return [];
  const margin = words.verdictOf(record, "C3")?.smallest;
  const rows = [...new Set(shifts.map(({ attack }) => attack))];
  const families = ORDER.filter((family) => shifts.some((s) => s.family === family));
  const options = {
    label: "Mean change of the cost under each attack, with 95 % intervals and the margin. One dot per block.",
    rows,
    dots: shifts.map(({ shift, attack, family }) => ({
      ...{ ...shift, row: rows.indexOf(attack), series: families.indexOf(family) },
    })),
    series: families.map((family) => FAMILIES[family]),
    x: { label: "change of cost, points of the full cost", tickFormat: (v: number) => words.tick(v, "share") },
    ...(margin === undefined ? {} : { limit: margin }),
  };
  return [{ id: "cost", plot: stripsPlot(options, document), key: options.series, caption: captionOf(margin) }];
}

const captionOf = (margin: number | undefined): string =>
  `Mean change of the cost as a share of the full cost, with 95 % intervals; one dot per block. ${
    margin === undefined
      ? "The record holds no margin."
      : `Dashed: the margin of ${words.points(margin)}, which the positive control must exceed and the negative control must not.`
  }`;

const COLUMNS: readonly Column<CostShift>[] = [
  { head: "block", cell: (s) => words.unbroken(s.block) },
  { head: "attack", align: "left", cell: (s) => s.attack },
  { head: "family", align: "left", cell: (s) => s.family },
  { head: "samples", cell: (s) => s.samples },
  { head: "change of cost", cell: (s) => words.effect(s.shift, "share") },
  { head: "answer changed", cell: (s) => words.points(s.fooled) },
  { head: "answer kept", cell: (s) => words.points(s.kept) },
  { head: "change of time, ms", cell: (s) => words.effect(s.milliseconds, "plain") },
  { head: "99th percentile of time", cell: (s) => (s.p99 === null ? words.DASH : `${s.p99.toFixed(2)}×`) },
];

export function costSection(record: StudyRecord, document: Document): Section {
  const shifts = sorted(record.questions.cost);
  const lacking = (["slowdown", "control"] as const).filter((family) => !shifts.some((s) => s.family === family));
  const remark = lacking.map((family) => html`<p>The ${FAMILIES[family].name} was not measured.</p>`);
  const body = html`${costFigures(record, document).map(single)}${lacking.length > 0 ? remark : NOTHING}${foldedTable("Change of cost in points of the full cost. Time is measured on the executor; its percentile is a ratio to clean images.", COLUMNS, shifts)}`;
  return {
    id: "cost",
    title: "Cost of the dynamic network under attack (C3)",
    body: shifts.length === 0 ? empty(words.whyEmpty(record, "C3", ["static", "joint"])) : body,
  };
}
