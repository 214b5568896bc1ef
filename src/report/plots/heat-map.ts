/** @file A heat map of shares: rows against columns, the stronger the colour, the larger the
 *  share. Cells may carry a sign. */
import { axisX, axisY, cell, type PlotOptions, text } from "@observablehq/plot";
import { shorten } from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { type Chart, chart } from "./svg.js";

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

/** @param options with at least one row and column. The narrow drawing has numbers for long names,
 *  and a list of them */
export function heatMapPlot(options: HeatMapOptions, document: Document): Chart {
  const { label, rows, columns } = options;
  const long = [...new Set([...(fits(rows, SHORT_ROW) ? [] : rows), ...(fits(columns, SHORT_COLUMN) ? [] : columns)])];
  const list = html`<ol class="numbered">${long.map((name) => html`<li>${name}</li>`)}</ol>`;
  return chart(
    label,
    document,
    wideSize(options).width,
    (width, narrow) => (narrow ? narrowMap(options, long, width) : wideMap(options)),
    long.length > 0 ? list : NOTHING,
  );
}

/** Names of at most this number of letters stand on the axes of a narrow map. */
const [SHORT_ROW, SHORT_COLUMN] = [12, 3];
const fits = (names: readonly string[], letters: number): boolean => names.every(({ length }) => length <= letters);

/** Places of a map whose axes have the names themselves. */
function wideSize({ rows, columns }: HeatMapOptions) {
  const [width, height] = columns.length <= NUMBERED ? [52, 26] : [19, 19];
  const [left, top, right] = [14 + marginOf(rows), 12 + 0.8 * marginOf(columns), 0.7 * marginOf(columns)];
  return { left, top, right, width: left + width * columns.length + right, height: top + height * rows.length + 8 };
}

function wideMap(options: HeatMapOptions): PlotOptions {
  const { rows, columns, cells, axes } = options;
  const { left, top, right, height } = wideSize(options);
  const name = (names: readonly string[]) => (i: number) => shorten(names[i], LONGEST);
  return {
    height,
    ...{ marginLeft: left, marginTop: top, marginRight: right, marginBottom: 8 },
    ...bands(rows, columns),
    marks: [
      ...cellMarks(cells, columns.length <= NUMBERED ? " " : undefined),
      axisX({
        ...{ anchor: "top", tickFormat: name(columns), tickRotate: -45, tickSize: 0 },
        ...{ label: axes.columns, labelOffset: top - 6 },
      }),
      axisY({ tickFormat: name(rows), label: axes.rows, labelOffset: left - 6, tickSize: 0 }),
    ],
  };
}

/** Cells as wide as the room, with the sign below the number, and numbers for long names. */
function narrowMap(
  { rows, columns, cells, axes }: HeatMapOptions,
  long: readonly string[],
  width: number,
): PlotOptions {
  const numbered = columns.length <= NUMBERED;
  const place = (names: readonly string[]) => (i: number) =>
    long.includes(names[i]) ? String(long.indexOf(names[i]) + 1) : names[i];
  const left = fits(rows, SHORT_ROW) ? 16 + LETTER * Math.max(...rows.map(({ length }) => length)) : 34;
  const size = Math.max(numbered ? 32 : 18, Math.min(40, (width - left) / columns.length));
  const step = Math.ceil((columns.length * (fits(columns, 2) ? 16 : 22)) / (width - left));
  return {
    height: 48 + size * rows.length,
    ...{ marginLeft: left, marginTop: 40, marginRight: 6, marginBottom: 8 },
    ...bands(rows, columns),
    marks: [
      ...cellMarks(cells, numbered ? "\n" : undefined),
      axisX({
        ...{ anchor: "top", tickFormat: place(columns), tickSize: 0, label: axes.columns, labelOffset: 36 },
        ticks: columns.flatMap((_, i) => (i % step === 0 ? [i] : [])),
      }),
      axisY({ tickFormat: place(rows), label: axes.rows, labelOffset: left - 4, tickSize: 0 }),
    ],
  };
}

const bands = (rows: readonly string[], columns: readonly string[]): PlotOptions => ({
  x: { type: "band", domain: columns.map((_, i) => i), padding: 0.06 },
  y: { type: "band", domain: rows.map((_, i) => i), padding: 0.06 },
});

const marginOf = (names: readonly string[]): number =>
  22 + LETTER * Math.max(...names.map((n) => Math.min(LONGEST, n.length)));

/** @param between what stands between number and sign. Undefined: cells have the sign alone */
function cellMarks(cells: readonly HeatCell[], between: string | undefined) {
  const at = { x: "column", y: "row" } as const;
  const words = ({ value, sign }: HeatCell): string => {
    const number = value === null ? "–" : String(Math.round(100 * value));
    if (between === undefined) return value === null ? number : sign;
    return `${number}${sign && `${between}${sign}`}`;
  };
  return [
    cell(cells, {
      ...{ ...at, stroke: "var(--rule)", fill: "var(--shade)" },
      fillOpacity: ({ value }: HeatCell) => STRONGEST * (value ?? 0),
    }),
    text(cells, { ...at, text: words, fill: "currentColor", fontSize: between === undefined ? 9 : 11 }),
  ];
}

/** The key of the colours: from 0 to 100 %. */
export const heatKey = (): Html =>
  html`<ul class="key">${[0, 0.25, 0.5, 0.75, 1].map((value) => html`<li><svg viewBox="0 0 30 12" aria-hidden="true"><rect width="30" height="12" fill="var(--shade)" fill-opacity="${STRONGEST * value}" stroke="var(--rule)"/></svg>${Math.round(100 * value)}\u00a0%</li>`)}</ul>`;
