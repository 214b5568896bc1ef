/** @file The table of all reports: a caption that explains the numbers, headed columns, headed
 *  rows.
 *  The first column names the row. Wide tables scroll inside their own region. */
import * as write from "./format.js";
import { type Html, type HtmlContent, html, NOTHING } from "./html.js";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => HtmlContent;
  /** Left for words. By default a column holds figures and is aligned on the right. */
  readonly align?: "left";
  /** A share from 0 to 1 that shades the cell: the lower, the redder. The number itself stays in
   * the cell. */
  readonly shade?: (row: Row) => number;
}

/** Tables of at most this number of rows stay on one page of paper. */
const FEW = 9;

/** A captioned table of `rows`. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const heads = columns.map((column) => html`<th scope="col"${alignment(column)}>${column.head}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>${columns.map((column, i) => (i === 0 ? html`<th scope="row">${column.cell(row)}</th>` : cell(column, row)))}</tr>`,
  );
  const size = rows.length <= FEW ? " few" : "";
  return html`<div class="scroll${size}" role="region" aria-label="${caption}" tabindex="0"><table><caption><span>${write.unbroken(caption)}</span></caption><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function cell<Row>(column: Column<Row>, row: Row): Html {
  const shade = column.shade
    ? html` class="shade" style="--lost:${Math.round(100 * (1 - column.shade(row)))}%"`
    : NOTHING;
  return html`<td${alignment(column)}${shade}>${unbroken(column.cell(row))}</td>`;
}

const alignment = <Row>(column: Column<Row>): Html => (column.align === "left" ? html` class="text"` : NOTHING);

/** Text whose brackets, such as those of an interval, stay in one line. */
function unbroken(content: HtmlContent): HtmlContent {
  if (typeof content === "string")
    return content
      .split(/(\([^()]{1,18}\))/)
      .map((part) => (part.startsWith("(") ? html`<span class="figure-text">${part}</span>` : part));
  return Array.isArray(content) ? content.map(unbroken) : content;
}
