/** @file Label changes against the place of the first exit, split into exposure and
 *  vulnerability. */
import { counted } from "../../core/units.js";
import type { FirstExitCurve, StudyRecord } from "../../schema/study/record.js";
import type { KeyEntry } from "../plots/key.js";
import { type LinePoint, linesPlot } from "../plots/lines.js";
import { lineStyle } from "../plots/training.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import type { Column } from "../shared/table.js";
import { empty, type Figure, foldedTable, moreFigures, panels, slug } from "./figure.js";
import * as words from "./words.js";

type Point = FirstExitCurve["points"][number];

const SHOWN = [
  { name: "labels changed", of: (p: Point) => ({ y: p.changed.value, low: p.changed.low, high: p.changed.high }) },
  { name: "exposure", of: (p: Point) => ({ y: p.exposure }) },
  { name: "vulnerability", of: (p: Point) => (p.vulnerability === null ? undefined : { y: p.vulnerability }) },
] as const;

const SCENARIOS = {
  within: "the attack sees the network",
  across: "the attack sees another network",
} as const satisfies Record<FirstExitCurve["scenario"], string>;

/** Curves with the same scenario and the same target of thresholds. */
interface Group {
  readonly scenario: FirstExitCurve["scenario"];
  readonly target: string;
  readonly curves: readonly FirstExitCurve[];
}

/** Groups in the order of the plan's primary scenario: across networks first. */
function groupsOf(curves: readonly FirstExitCurve[]): Group[] {
  const targets = [...new Set(curves.map(({ target }) => target))];
  return (["across", "within"] as const).flatMap((scenario) =>
    targets.flatMap((target) => {
      const own = curves.filter((c) => c.scenario === scenario && c.target === target && c.points.length > 0);
      return own.length === 0 ? [] : [{ scenario, target, curves: own }];
    }),
  );
}

/** All panels, group by group. */
export const firstExitFigures = (record: StudyRecord, document: Document): Figure[] =>
  firstExitGroups(record, document).flat();

/** For each group, one panel of changes, one of exposure, one of vulnerability. */
function firstExitGroups(record: StudyRecord, document: Document): Figure[][] {
  const curves = record.questions.firstExit;
  const cells = [...new Set(curves.map(({ block }) => words.cellName(record, block)))];
  const key = cells.map((name, i): KeyEntry => ({ name, ...lineStyle(i) }));
  const colourOf = ({ block }: FirstExitCurve) => key[cells.indexOf(words.cellName(record, block))];
  return groupsOf(curves).map((group) => SHOWN.flatMap((shown) => figureOf(group, shown, key, colourOf, document)));
}

function figureOf(
  { scenario, target, curves }: Group,
  { name, of }: (typeof SHOWN)[number],
  key: readonly KeyEntry[],
  colourOf: (curve: FirstExitCurve) => KeyEntry,
  document: Document,
): Figure[] {
  const lines = curves
    .map((curve) => ({ ...colourOf(curve), points: curve.points.flatMap((p) => place(p, of(p))) }))
    .filter(({ points }) => points.length > 0);
  if (lines.length === 0) return [];
  const options = {
    label: `${name} against the cost of the first exit; ${SCENARIOS[scenario]}, thresholds for ${target}.`,
    ...{ lines, y: name },
    x: { label: "cost of the first exit", tickFormat: write.wholePercent, logarithmic: true },
  };
  return [
    {
      id: slug("first-exit", scenario, target, name),
      title: `${name}: ${scenario}, ${target}`,
      plot: linesPlot(options, document),
      key,
      caption:
        "One line per block, one colour per cell; the cost axis is logarithmic. Labels changed: share of samples whose routed label changed, with 95 % intervals. Exposure: how often the first exit answers. Vulnerability: how often its answer changes when it answers. Across: the attack sees another network; within: it sees the network itself.",
    },
  ];
}

const place = ({ costFraction }: Point, at: Omit<LinePoint, "x"> | undefined): LinePoint[] =>
  at === undefined || costFraction === 0 ? [] : [{ x: costFraction, ...at }];

const conditionOf = ({ scenario, target }: FirstExitCurve): string => `${scenario}, ${target}`;

/** One row per block, one column per scenario and target. */
function slopeTable(curves: readonly FirstExitCurve[]): Html {
  const found = (block: string, condition: string) =>
    curves.find((c) => c.block === block && conditionOf(c) === condition)?.slope ?? null;
  const columns: Column<string>[] = [
    { head: "block", cell: words.unbroken },
    ...[...new Set(curves.map(conditionOf))].map((condition) => ({
      head: condition,
      cell: (block: string) => words.points(found(block, condition)),
    })),
  ];
  return foldedTable(
    "Slope: change of the share of changed labels per factor of 10 in the cost of the first exit, by scenario and target of the thresholds. Above 0, an earlier first exit is more robust.",
    columns,
    [...new Set(curves.map(({ block }) => block))],
  );
}

type Row = Point & FirstExitCurve;

const POINTS: readonly Column<Row>[] = [
  { head: "block", cell: (c) => words.unbroken(c.block) },
  { head: "scenario", align: "left", cell: (c) => c.scenario },
  { head: "thresholds for", align: "left", cell: (c) => c.target },
  { head: "first exit", align: "left", cell: (p) => p.exit },
  { head: "its cost", cell: (p) => write.percent(p.costFraction) },
  { head: "labels changed", cell: (p) => write.rate(p.changed) },
  { head: "exposure", cell: (p) => write.percent(p.exposure) },
  { head: "vulnerability", cell: (p) => words.share(p.vulnerability) },
];

/** The figures of the first group, and the others behind a line. */
function figurePart(record: StudyRecord, document: Document): Html {
  const [first = [], ...others] = firstExitGroups(record, document);
  const rest = others.flat();
  return html`${panels(first)}${rest.length === 0 ? NOTHING : moreFigures(`Other scenarios and thresholds: ${counted(rest.length, "plot")}`, panels(rest))}`;
}

export function firstExitSection(record: StudyRecord, document: Document): Section {
  const curves = record.questions.firstExit;
  const rows = curves.flatMap((curve) => curve.points.map((point): Row => ({ ...curve, ...point })));
  const body = html`${figurePart(record, document)}${slopeTable(curves)}${foldedTable("Label changes by first exit.", POINTS, rows)}`;
  return {
    id: "first-exit",
    title: "The place of the first exit (C4)",
    body: curves.length === 0 ? empty(words.whyEmpty(record, "C4", ["dense"])) : body,
  };
}
