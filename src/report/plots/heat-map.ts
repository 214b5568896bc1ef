/** @file A heat map of shares: rows against columns, the stronger the colour, the larger the
 *  share. Cells may carry a sign. */
import { axisX, axisY, cell, text } from "@observablehq/plot";
import { shorten } from "../shared/format.js";
import { type Html, html } from "../shared/html.js";
import { svg } from "./svg.js";

/** One cell. */
export interface HeatCell {
  readonly row: number;
  readonly column: number;
  /** From 0 to 1; null: not measured. */
  readonly value: number | null;
  /** A sign in the cell. */
  readonly sign: string;
}

export interface HeatMapOptions {
  /** Describes the plot in words. */
  readonly label: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly cells: readonly HeatCell[];
  readonly axes: { readonly rows: string; readonly columns: string };
}

/** Maps of up to this number of columns have numbers in their cells. */
const NUMBERED = 12;
const [LETTER, LONGEST] = [6.2, 28];
/** The colour of 100 %. Text stays readable on it. */
const STRONGEST = 0.62;

/** @param options with at least one row and column */
export function heatMapPlot({ label, rows, columns, cells, axes }: HeatMapOptions, document: Document): Html {
  const numbered = columns.length <= NUMBERED;
  const [width, height] = numbered ? [52, 26] : [19, 19];
  const [left, top] = [14 + marginOf(rows), 12 + 0.8 * marginOf(columns)];
  const name = (names: readonly string[]) => (i: number) => shorten(names[i], LONGEST);
  return svg(label, document, {
    width: left + width * columns.length + 0.7 * marginOf(columns),
    height: top + height * rows.length + 8,
    ...{ marginLeft: left, marginTop: top, marginRight: 0.7 * marginOf(columns), marginBottom: 8 },
    x: { type: "band", domain: columns.map((_, i) => i), padding: 0.06 },
    y: { type: "band", domain: rows.map((_, i) => i), padding: 0.06 },
    marks: [
      ...cellMarks(cells, numbered),
      axisX({
        anchor: "top",
        tickFormat: name(columns),
        tickRotate: -45,
        label: axes.columns,
        labelOffset: top - 6,
        tickSize: 0,
      }),
      axisY({ tickFormat: name(rows), label: axes.rows, labelOffset: left - 6, tickSize: 0 }),
    ],
  });
}

const marginOf = (names: readonly string[]): number =>
  22 + LETTER * Math.max(...names.map((n) => Math.min(LONGEST, n.length)));

function cellMarks(cells: readonly HeatCell[], numbered: boolean) {
  const at = { x: "column", y: "row" } as const;
  const words = ({ value, sign }: HeatCell): string =>
    numbered ? `${value === null ? "–" : Math.round(100 * value)}${sign && ` ${sign}`}` : value === null ? "–" : sign;
  return [
    cell(cells, { ...at, fill: "none", stroke: "var(--rule)" }),
    cell(cells, { ...at, fill: "var(--shade)", fillOpacity: ({ value }: HeatCell) => STRONGEST * (value ?? 0) }),
    text(cells, { ...at, text: words, fill: "currentColor", fontSize: numbered ? 11 : 9 }),
  ];
}

/** The key of the colours: from 0 to 100 %. */
export const heatKey = (): Html =>
  html`<ul class="key">${[0, 0.25, 0.5, 0.75, 1].map((value) => html`<li><svg viewBox="0 0 30 12" aria-hidden="true"><rect width="30" height="12" fill="var(--shade)" fill-opacity="${STRONGEST * value}" stroke="var(--rule)"/></svg>${Math.round(100 * value)}\u00a0%</li>`)}</ul>`;
