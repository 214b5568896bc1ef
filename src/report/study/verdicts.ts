/** @file The verdict of every claim as a table, and the effects by cell as forest plots. */
import type { Claim, Estimate, StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { type Fact, list } from "../audit/methods.js";
import type { KeyEntry } from "../plots/key.js";
import { stripsPlot } from "../plots/strips.js";
import { SERIES } from "../plots/svg.js";
import { html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, type Figure, foldedTable, panels } from "./figure.js";
import * as words from "./words.js";

const small = (text: string) => html`<small>${text}</small>`;

const COLUMNS: readonly Column<StudyVerdict>[] = [
  { head: "claim", cell: (v) => v.claim },
  {
    head: "verdict and reason",
    align: "left",
    cell: (v) => html`${words.verdictMark(v.verdict)}<div class="reason">${small(words.sentence(v.reason))}</div>`,
  },
  { head: "effect (95 % interval)", cell: effectCell },
  { head: "test", align: "left", cell: (v) => v.test },
  { head: "p", cell: (v) => words.probability(v.p) },
  { head: "adjusted p", cell: (v) => words.probability(v.adjusted) },
  { head: "blocks", cell: (v) => v.blocks },
  { head: "cells that agree", cell: (v) => `${v.cells.agree} of ${v.cells.all}` },
  { head: "power", cell: (v) => words.share(v.power) },
  { head: "paper", align: "left", cell: (v) => v.paper },
];

function effectCell(v: StudyVerdict) {
  const scale = words.scaleOf(v);
  const [value, range] = v.effect
    ? [words.size(v.effect.value, scale), words.range(v.effect, scale)]
    : [words.DASH, ""];
  return html`<b>${value}</b><br>${range}<div class="unit">${small(v.unit)}<br>${small(`of interest: ${words.size(v.smallest, scale)}`)}</div>`;
}

/** The table of verdicts. */
export const verdictSection = ({ verdicts }: StudyRecord): Section => ({
  id: "verdicts",
  title: "Verdicts",
  body:
    verdicts.length === 0
      ? empty("The plan asks about no claim, so no verdict is given.")
      : html`${table(
          "One row per claim. The unit of the test is the block: one architecture on one data set with one training seed. Of interest: the smallest effect that the plan calls worth having. Adjusted p: Holm over the claims of the plan. Power: the chance to find the smallest effect of interest with these blocks and their spread. Paper: what the original reports.",
          COLUMNS,
          verdicts,
        )}${rules}${list(verdicts.map(meaningOf))}`,
});

const meaningOf = ({ claim, statement, endpoint, source }: StudyVerdict): Fact => [
  claim,
  html`${statement} <small>(${source})</small><br><small>Measured in each block: ${endpoint}</small>`,
];

const rules = html`<p class="soft">Supported: adjusted p below 0.05, interval on the claimed side, effect at least the smallest of interest, and nearly all cells agree. Refuted: the interval lies wholly on the other side. Practically nil: the interval lies within the smallest effect of interest. All else is inconclusive, and so is every claim with a failed check.</p>`;

const EFFECT: KeyEntry = { name: "cell", colour: SERIES[0], dash: "none", symbol: "square" };
const OVERALL: KeyEntry = { name: "all blocks", colour: SERIES[1], dash: "none", symbol: "diamond" };

interface ForestRow {
  readonly name: string;
  readonly effect: Estimate;
  readonly overall: boolean;
}

const rowsOf = ({ cells }: StudyRecord, { claim, effect }: StudyVerdict): ForestRow[] => [
  ...cells.filter((c) => c.claim === claim).map((c) => ({ name: c.cell, effect: c.effect, overall: false })),
  ...(effect ? [{ name: "all blocks", effect, overall: true }] : []),
];

/** One forest plot for each claim that has a cell with an effect. */
export const forestFigures = (record: StudyRecord, document: Document): Figure[] =>
  record.verdicts
    .filter(({ claim }) => record.cells.some((c) => c.claim === claim))
    .map((verdict) => forestFigure(verdict, rowsOf(record, verdict), document));

function forestFigure(verdict: StudyVerdict, rows: readonly ForestRow[], document: Document): Figure {
  const { claim, unit, smallest } = verdict;
  const scale = words.scaleOf(verdict);
  const options = {
    label: `Effect of ${claim} in each cell and over all blocks, with 95 % intervals.`,
    rows: rows.map(({ name }) => name),
    dots: rows.map(({ effect, overall }, row) => ({ ...effect, row, series: overall ? 1 : 0 })),
    series: [EFFECT, OVERALL],
    x: {
      label: words.axis(unit, scale),
      tickFormat: (value: number) => words.tick(value, scale),
      logarithms: scale === "logarithm",
    },
    region: [-smallest, smallest] as const,
  };
  return {
    id: `forest-${claim.toLowerCase()}`,
    title: `${claim}: ${verdict.statement}`,
    plot: stripsPlot(options, document),
    key: options.series,
    caption: "Effects with 95 % intervals. Shaded: smaller than the smallest effect of interest, to either side.",
  };
}

/** Forest plots and their numbers. */
export function forestSection(record: StudyRecord, document: Document): Section {
  const figures = forestFigures(record, document);
  return {
    id: "cells",
    title: "Effects by cell",
    body: figures.length === 0 ? empty(whyNoCells(record)) : html`${panels(figures, "pair")}${cellTable(record)}`,
  };
}

const whyNoCells = ({ verdicts, blocks }: StudyRecord): string => {
  if (verdicts.length === 0) return "The plan asks about no claim.";
  return blocks.length === 0 ? "The study has no block." : "No claim has an effect in any cell yet.";
};

type CellRow = StudyRecord["cells"][number];

function cellTable(record: StudyRecord) {
  const scaleIn = (claim: Claim) => words.scaleOf(words.verdictOf(record, claim) ?? {});
  const columns: Column<CellRow>[] = [
    { head: "claim and cell", cell: (c) => `${c.claim}, ${c.cell}` },
    { head: "effect (95 % interval)", cell: (c) => words.effect(c.effect, scaleIn(c.claim)) },
    { head: "blocks", cell: (c) => c.blocks },
  ];
  return foldedTable("Effects by claim and cell.", columns, record.cells);
}
