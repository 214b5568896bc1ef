/** @file The width of the terminal, and text that is wrapped to it. */

/** The width of output that no terminal shows. */
const USUAL = 80;
/** A terminal may say that it has no or next to no columns. */
const LEAST = 40;

/** Columns of tables, and of lines of text. No limits, as a program that calls `run` has it. */
const widths = { tables: Number.POSITIVE_INFINITY, lines: Number.POSITIVE_INFINITY };

/** The columns that a table may have. */
export const tableWidth = (): number => widths.tables;

/** Fit tables and lines to a terminal. Where there is none, tables have 80 columns, or COLUMNS, and
 * lines are whole: a search in a log finds them, and a script stays a script. */
export function fitTo({ isTTY = false, columns }: { readonly isTTY?: boolean; readonly columns?: number }): void {
  const shown = isTTY ? columns : Number(process.env.COLUMNS);
  widths.tables = Math.max(LEAST, shown || USUAL);
  widths.lines = isTTY ? widths.tables : Number.POSITIVE_INFINITY;
}

/** Take all limits away. */
export function fitToNothing(): void {
  widths.tables = Number.POSITIVE_INFINITY;
  widths.lines = Number.POSITIVE_INFINITY;
}

/** Text whose long lines are broken between words. A line keeps its indent. JSON stays as it is. */
export function wrapped(text: string): string {
  if (widths.lines === Number.POSITIVE_INFINITY || /^[[{]/.test(text)) return text;
  return text
    .split("\n")
    .map((line) => broken(line, widths.lines))
    .join("\n");
}

/** The escape sequence of a colour. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");

/** Letters of East Asia and pictures, which take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/gu;

/** The columns that a text takes. Escape sequences of colours take none. */
export function widthOf(text: string): number {
  const plain = text.replaceAll(COLOUR, "");
  return [...plain].length + (plain.match(WIDE)?.length ?? 0);
}

function broken(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines = [""];
  for (const word of line.trimStart().split(/(?<= )(?! )/)) {
    const last = lines[lines.length - 1];
    if (last === "" || widthOf(`${indent}${last}${word.trimEnd()}`) <= width) lines[lines.length - 1] += word;
    else lines.push(word);
  }
  return lines.map((one) => `${indent}${one.trimEnd()}`).join("\n");
}
