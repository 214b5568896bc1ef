/** @file Adversarial samples for the work of an attack: curves of the samples that still stand, by
 *  block, with the baselines beside the dynamic surrogate. */
import type { StudyRecord, YieldCurve } from "../../schema/study/record.js";
import type { KeyEntry } from "../plots/key.js";
import { linesPlot } from "../plots/lines.js";
import { lineStyle } from "../plots/training.js";
import * as write from "../shared/format.js";
import { html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, type Figure, foldedTable, panels, slug } from "./figure.js";
import * as words from "./words.js";

const surrogatesOf = (curves: readonly YieldCurve[]): string[] => [...new Set(curves.map((c) => c.surrogate))];
const blocksOf = (curves: readonly YieldCurve[]): string[] => [...new Set(curves.map((c) => c.block))];

/** One panel per cell, one line per block and surrogate. */
export function yieldFigures(record: StudyRecord, document: Document): Figure[] {
  const curves = record.questions.yield;
  const drawn = curves.filter(({ points }) => points.length > 0);
  const key = surrogatesOf(curves).map((name, i): KeyEntry => ({ name, ...lineStyle(i) }));
  const cellOf = ({ block }: YieldCurve): string => words.cellName(record, block);
  return [...new Set(drawn.map(cellOf))].map((cell) => ({
    id: slug("yield", cell),
    title: cell,
    plot: cellPlot(
      cell,
      drawn.filter((c) => cellOf(c) === cell),
      key,
      document,
    ),
    key,
    caption:
      "Kaplan-Meier: the share of samples without a success on the surrogate, by the work of the attack. Lower is a faster attack. One line per block, one colour per surrogate. A line ends where no attack went on; samples without a success are censored.",
  }));
}

function cellPlot(cell: string, curves: readonly YieldCurve[], key: readonly KeyEntry[], document: Document) {
  const lines = curves.map(({ surrogate, points }) => ({
    ...key[key.findIndex(({ name }) => name === surrogate)],
    points: fromStart(points.map(({ macs, remaining }) => ({ x: macs, y: remaining }))),
  }));
  const options = {
    label: `Share of samples without a success by work, ${cell}.`,
    ...{ lines, y: "without success", steps: true },
    x: { label: "MACs of the attack on one sample", tickFormat: (v: number) => (v === 0 ? "0" : write.count(v)) },
  };
  return linesPlot(options, document);
}

/** Before any work, all samples stand. */
export const fromStart = (points: readonly { readonly x: number; readonly y: number }[]) =>
  points.length > 0 && points[0].x > 0 ? [{ x: 0, y: 1 }, ...points] : points;

const perTeraMac = (value: number | null): string =>
  value === null ? words.DASH : value >= 100 ? String(Math.round(value)) : words.plain(value);

/** One row per block, one column per surrogate. */
function shortTable(curves: readonly YieldCurve[]) {
  const found = (block: string, surrogate: string) =>
    curves.find((c) => c.block === block && c.surrogate === surrogate)?.perTeraMac;
  const columns: Column<string>[] = [
    { head: "block", cell: words.unbroken },
    ...surrogatesOf(curves).map((surrogate) => ({
      head: surrogate,
      cell: (block: string) => {
        const value = found(block, surrogate);
        return value === undefined ? words.DASH : perTeraMac(value);
      },
    })),
  ];
  return table(
    "Samples adversarial for the static target per 10¹² MACs, by surrogate. If a pruned or a small static surrogate yields as much as the dynamic one, the gain comes from shallowness.",
    columns,
    blocksOf(curves),
  );
}

const COLUMNS: readonly Column<YieldCurve>[] = [
  { head: "block", cell: (c) => words.unbroken(c.block) },
  { head: "surrogate", align: "left", cell: (c) => c.surrogate },
  { head: "per 10¹² MACs", cell: (c) => perTeraMac(c.perTeraMac) },
  { head: "per second", cell: (c) => (c.perSecond === null ? words.DASH : words.plain(c.perSecond)) },
  { head: "samples", cell: (c) => c.samples },
  { head: "censored", cell: (c) => c.censored },
  {
    head: "success on the surrogate",
    cell: (c) => write.rate(write.rateOf(1 - c.censored / Math.max(1, c.samples), c.samples)),
  },
];

export function yieldSection(record: StudyRecord, document: Document): Section {
  const curves = record.questions.yield;
  const body = html`${shortTable(curves)}${panels(yieldFigures(record, document))}${foldedTable("Yield for the static target by work and by time. Censored: samples without a success on the surrogate.", COLUMNS, curves)}`;
  return {
    id: "yield",
    title: "Adversarial samples for the same work (C2)",
    body: curves.length === 0 ? empty(words.whyEmpty(record, "C2", ["static", "joint"])) : body,
  };
}
