/** @file Plain tables for a terminal: a header line and aligned columns without boxes, readable in
 *  a log too. */
import Table from "cli-table3";
import { visibleLine } from "../../core/visible.js";
import { type Policy, showGateRule, showThresholds } from "../../schema/policy.js";
import { type Reading, readingLines } from "../../schema/reading.js";
import { out } from "./colors.js";
import { type Column, fitted, type Slice } from "./table-widths.js";
import { tableWidth } from "./terminal.js";

export type { Column };

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Rows under a header. A name with a newline does not look like two rows. Columns are
 * right-aligned unless `align` says otherwise. On a terminal a wide table breaks its heads between
 * words, then its left-aligned columns, then it goes on below with the first column again. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(visibleLine));
  return fitted(columns, cells, tableWidth())
    .map((part) => drawn(part, cells))
    .join("\n");
}

/** The time that cli-table3 takes for one table grows with the square of its rows. */
const MOST_ROWS = 200;

/** The table in blocks of rows that have the same widths; the first has the heads. */
function drawn(part: Slice, rows: readonly (readonly string[])[]): string {
  const blocks = Array.from({ length: Math.ceil(rows.length / MOST_ROWS) }, (_, i) =>
    rows.slice(i * MOST_ROWS, (i + 1) * MOST_ROWS),
  );
  const [first = [], ...more] = blocks;
  return [block(part, first, true), ...more.map((some) => block(part, some, false))].join("");
}

function block(part: Slice, rows: readonly (readonly string[])[], heads: boolean): string {
  const t = new Table({
    ...(heads && { head: part.map(({ column }) => out.bold(column.head)) }),
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: part.map(({ column }) => column.align ?? "right"),
    colWidths: part.map(({ width }) => width),
    wordWrap: part.some(({ width, natural }) => width < natural),
  });
  t.push(...rows.map((row) => part.map(({ index }) => row[index])));
  return `${t.toString().replace(/[ ]+$/gm, "")}\n`;
}

export const heading = (text: string): string => `\n${out.bold(out.cyan(visibleLine(text)))}\n`;

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A rate with its 95 % interval: "41.4 % (35.5-47.5)". */
export const showRate = (rate: { readonly value: number; readonly low: number; readonly high: number }): string =>
  `${percent(rate.value)} (${(100 * rate.low).toFixed(1)}-${(100 * rate.high).toFixed(1)})`;

/** How the file of a model was read; nothing where dynn changed nothing. */
export const readingNotes = (model: Reading): string =>
  readingLines(model)
    .map((line) => `${visibleLine(line)}\n`)
    .join("");

/** What must be known of the data, and what casts doubt on the numbers; nothing where there is
 * nothing to say. */
export const notesAndWarnings = (notes: readonly string[] = [], warnings: readonly string[] = []): string =>
  [...notes.map(visibleLine), ...warnings.map((text) => out.yellow(`Warning: ${visibleLine(text)}`))]
    .map((line) => `${line}\n`)
    .join("");

/** Numbers side by side, to 4 digits; one when all are equal. */
export const showNumbers = (values: readonly number[]): string =>
  listed(values, (v) => String(Number(v.toPrecision(4))));

/** ", temperatures 1.5, 1.2" when the policy has temperatures, else "". */
export const showTemperatures = (temperatures: Policy["temperatures"]): string =>
  temperatures ? `, temperatures ${showNumbers(temperatures)}` : "";

/** A policy in one line: the rule of the exits, and that of the gates. */
export const showPolicy = (policy: Policy): string =>
  `${policy.rule}, thresholds ${showThresholds(policy) || "none"}, fallback ${policy.fallback}${showTemperatures(policy.temperatures)}${showGateRule(policy)}`;

const listed = (values: readonly number[], show: (value: number) => string): string =>
  (values.every((v) => v === values[0]) ? values.slice(0, 1) : values).map(show).join(", ");
