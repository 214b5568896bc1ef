/** @file White-box success on static and dynamic networks, block by block. */
import type { RobustnessRow, StudyRecord } from "../../schema/study/record.js";
import { type StripDot, stripsPlot } from "../plots/strips.js";
import { SERIES } from "../plots/svg.js";
import * as write from "../shared/format.js";
import { html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, type Figure, folded, foldedTable, single } from "./figure.js";
import * as words from "./words.js";

const KEY = [
  { name: "static network", colour: SERIES[0], dash: "none", symbol: "square" },
  { name: "dynamic, final exit alone", colour: SERIES[2], dash: "none", symbol: "triangle" },
  { name: "dynamic, routed", colour: SERIES[1], dash: "none", symbol: "circle" },
] as const;
const ANSWERS = ["static", "final", "routed"] as const;

/** The radius of the white-box endpoint. Where no row has it: the first radius of the rows. */
function mainRadius({ radius: { primary, whiteBox = primary }, questions }: StudyRecord): number {
  const radii = questions.robustness.map(({ radius }) => radius);
  return radii.find((radius) => words.same(radius, whiteBox)) ?? radii[0] ?? whiteBox;
}

const isMain = (record: StudyRecord, { radius }: RobustnessRow): boolean => words.same(radius, mainRadius(record));
const mainRows = (record: StudyRecord): RobustnessRow[] =>
  record.questions.robustness.filter((row) => isMain(record, row));

/** Success by block at the radius of the white-box endpoint. */
export function robustnessFigures(record: StudyRecord, document: Document): Figure[] {
  const rows = mainRows(record);
  if (rows.length === 0) return [];
  const options = {
    label: "White-box success on the static and the dynamic network of each block, with 95 % intervals.",
    rows: rows.map(({ block }) => block),
    dots: rows.flatMap((row, i) => ANSWERS.map((answer, series): StripDot => ({ ...row[answer], row: i, series }))),
    series: KEY,
    x: { label: "success of the attack", tickFormat: write.wholePercent },
    domain: [0, 1] as const,
  };
  const caption = `Share of the eligible samples that the attack wins at radius ${words.radius(mainRadius(record))}, with 95 % intervals. Static against final shows what joint training did; final against routed shows what the early exits did.`;
  return [{ id: "robustness", plot: stripsPlot(options, document), key: KEY, caption }];
}

const COLUMNS: readonly Column<RobustnessRow>[] = [
  { head: "block", cell: (r) => words.unbroken(r.block) },
  { head: "eligible", cell: (r) => r.eligible },
  { head: "static", cell: (r) => write.rate(r.static) },
  { head: "dynamic, final exit", cell: (r) => write.rate(r.final) },
  { head: "dynamic, routed", cell: (r) => write.rate(r.routed) },
  { head: "static minus routed, points", cell: (r) => words.bare(r.difference) },
  { head: "both, static, routed", cell: (r) => `${r.both}, ${r.onlyStatic}, ${r.onlyRouted}` },
  { head: "McNemar p", cell: (r) => words.probability(r.exact) },
];

const RADIUS: Column<RobustnessRow> = { head: "radius", cell: (r) => words.radius(r.radius) };
const CAPTION =
  "White-box success at the radius of the endpoint. Counts: samples that fall on both networks, on the static one only, on the routed one only. McNemar's exact test speaks of one pair of networks, not of the claim.";

export function robustnessSection(record: StudyRecord, document: Document): Section {
  const all = record.questions.robustness;
  const other = all.filter((row) => !isMain(record, row));
  const body = html`${robustnessFigures(record, document).map(single)}${foldedTable(CAPTION, COLUMNS, mainRows(record))}${other.length === 0 ? NOTHING : folded("White-box success at the other radii", table("White-box success at the other radii.", [COLUMNS[0], RADIUS, ...COLUMNS.slice(1)], other))}`;
  return {
    id: "robustness",
    title: "Robustness: static against dynamic (C0)",
    body: all.length === 0 ? empty(words.whyEmpty(record, "C0", ["static", "joint"])) : body,
  };
}
