/** @file The early attack: what norm it needs on different sets of exits, and how that depends on
 *  the dependency between exits. */
import type { EarlyRow, Role, StudyRecord } from "../../schema/study/record.js";
import { type KeyEntry, SYMBOLS } from "../plots/key.js";
import { linesPlot } from "../plots/lines.js";
import { scatterPlot } from "../plots/scatter.js";
import { SERIES } from "../plots/svg.js";
import { lineStyle } from "../plots/training.js";
import * as write from "../shared/format.js";
import { html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, type Figure, foldedTable, panels, single, slug } from "./figure.js";
import * as words from "./words.js";
import { fromStart } from "./yield.js";

const numbersOf = (rows: readonly EarlyRow[]): number[] =>
  [...new Set(rows.map(({ exits }) => exits.length))].sort((a, b) => a - b);

/** A network without early exits has its gates alone. */
const setName = (exits: number): string => (exits === 0 ? "gates alone" : words.several(exits, "exit"));

/** One panel per cell and kind of network, one line per block and set of exits. */
export function survivalFigures(record: StudyRecord, document: Document): Figure[] {
  const rows = record.questions.early.rows.filter(({ survival }) => survival.length > 0);
  const numbers = numbersOf(rows);
  const key = numbers.map((n, i): KeyEntry => ({ name: setName(n), ...lineStyle(i) }));
  const panelOf = ({ block, role }: EarlyRow): string => `${words.cellName(record, block)}, ${role}`;
  return [...new Set(rows.map(panelOf))].map((title) => ({
    id: slug("early", title),
    title,
    plot: survivalPlot(
      title,
      rows.filter((row) => panelOf(row) === title),
      (row) => key[numbers.indexOf(row.exits.length)],
      document,
    ),
    key,
    caption:
      "The share of samples whose chosen early exits do not all change yet, by the L2 norm of the change. One line per block and set of exits, coloured by the number of exits in the set.",
  }));
}

function survivalPlot(
  title: string,
  rows: readonly EarlyRow[],
  styleOf: (row: EarlyRow) => KeyEntry,
  document: Document,
) {
  const lines = rows.map((row) => ({
    ...styleOf(row),
    points: fromStart(row.survival.map(({ norm, remaining }) => ({ x: norm, y: remaining }))),
  }));
  const options = {
    label: `Share of samples without a success by L2 norm, ${title}.`,
    ...{ lines, y: "without success", steps: true },
    x: { label: "L2 norm", tickFormat: words.plain },
  };
  return linesPlot(options, document);
}

/** Median norm against dependency, one dot per network and set of exits. */
export function doseFigures({ questions }: StudyRecord, document: Document): Figure[] {
  const { rows } = questions.early;
  const roles = [...new Set(rows.map(({ role }) => role))];
  const dots = rows.flatMap(({ dependency, medianNorm, role }) =>
    dependency === null || medianNorm === null || medianNorm <= 0
      ? []
      : [{ x: dependency, y: medianNorm, series: roles.indexOf(role) }],
  );
  if (dots.length === 0) return [];
  const options = {
    label: "Median L2 norm to success against the dependency between exits.",
    ...{ dots, series: roles.map(roleStyle) },
    x: { label: "dependency", tickFormat: write.wholePercent },
    y: { label: "median L2 norm (logarithmic)", tickFormat: words.plain },
  };
  const left = rows.length - dots.length;
  const caption = `One dot per network and set of exits. Dependency: how often another exit changes when the attack is made on one exit alone.${left === 0 ? "" : ` ${left} of ${rows.length} sets have no dot: fewer than half of their samples succeed, or the dependency is not known.`}`;
  return [{ id: "early-dependency", plot: scatterPlot(options, document), key: options.series, caption }];
}

const roleStyle = (name: Role, i: number): KeyEntry => ({
  ...{ name, colour: SERIES[i % SERIES.length], dash: "none", symbol: SYMBOLS[i % SYMBOLS.length] },
});

type Coefficient = StudyRecord["questions"]["early"]["coefficients"][number];

const COEFFICIENTS: readonly Column<Coefficient>[] = [
  { head: "coefficient", cell: (c) => c.name },
  { head: "value", cell: (c) => words.plain(c.value) },
  { head: "standard error", cell: (c) => words.plain(c.error) },
  { head: "p", cell: (c) => words.probability(c.p) },
];

const ROWS: readonly Column<EarlyRow>[] = [
  { head: "network", cell: (r) => html`${words.unbroken(r.network)}<small>${r.block}</small>` },
  {
    head: "exits that must change",
    align: "left",
    cell: (r) => (r.exits.length === 0 ? setName(0) : `${r.exits.length}: ${r.exits.join(", ")}`),
  },
  { head: "last exit", cell: (r) => write.percent(r.lastExit) },
  { head: "dependency", cell: (r) => words.share(r.dependency) },
  { head: "sparsity", cell: (r) => words.plain(r.sparsity) },
  { head: "largest gap", cell: (r) => write.percent(r.gap) },
  { head: "success", cell: (r) => write.rate(write.rateOf(r.successes / Math.max(1, r.samples), r.samples)) },
  { head: "fires", cell: (r) => words.share(r.firing) },
  { head: "median L2", cell: (r) => (r.medianNorm === null ? words.DASH : write.l2(r.medianNorm)) },
];

export function earlySection(record: StudyRecord, document: Document): Section {
  const { rows, coefficients } = record.questions.early;
  // Dependency is that between exits, so skipped blocks have no regression.
  const regression = rows.every(({ role }) => role === "gates")
    ? NOTHING
    : coefficients.length === 0
      ? empty("No regression could be fitted.")
      : table("Linear regression of the logarithm of the norm.", COEFFICIENTS, coefficients);
  const body = html`<div class="pair"><div>${doseFigures(record, document).map(single)}</div>${regression}</div>${panels(survivalFigures(record, document))}${foldedTable("The early attack on each set of exits. Costs are shares of the full cost. Sparsity: share of the legal cuts that have no exit. Fires: successes whose changed label is the routed answer. Median L2: a dash when fewer than half succeed.", ROWS, rows)}`;
  return {
    id: "early",
    title: "The early attack, dependency and sparsity (C5)",
    body: rows.length === 0 ? empty(words.whyEmpty(record, "C5", ["dense"])) : body,
  };
}
