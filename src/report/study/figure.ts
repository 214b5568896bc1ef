/** @file One figure of a study's report: a plot, its key and its caption. The page and the files of
 *  figures are made from the same list. */
import { counted } from "../../core/units.js";
import { type KeyEntry, key } from "../plots/key.js";
import type { Chart } from "../plots/svg.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { type Column, table } from "../shared/table.js";

export interface Figure {
  /** Its file name without ending. */
  readonly id: string;
  /** What stands above a small panel. */
  readonly title?: string;
  readonly plot: Chart;
  readonly key: readonly KeyEntry[];
  readonly caption: string;
}

/** A figure with its key and caption. */
export const single = ({ plot, key: entries, caption }: Figure): Html =>
  html`<figure class="beside">${plot}<figcaption>${keyOf(entries)}<p>${write.unbroken(caption)}</p></figcaption></figure>`;

/** Panels that share a key and a caption: those of the first.
 * @param layout "pair" for two beside each other, "multiples" for many small ones */
export function panels(figures: readonly Figure[], layout: "pair" | "multiples" = "multiples"): Html {
  const [first] = figures;
  if (first === undefined) return NOTHING;
  const panel = ({ title = "", plot }: Figure): Html =>
    html`<figure><figcaption><b>${title}</b></figcaption>${plot}</figure>`;
  return html`<p class="soft">${write.unbroken(first.caption)}</p>${keyOf(first.key)}<div class="${layout}">${figures.map(panel)}</div>`;
}

const keyOf = (entries: readonly KeyEntry[]): Html => (entries.length === 0 ? NOTHING : key(entries));

/** Longer tables are folded, so that the page can be read in minutes. */
const LONG = 20;

/** A table that is folded when it is long. */
export function foldedTable<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  if (rows.length === 0) return NOTHING;
  const whole = table(caption, columns, rows);
  return rows.length <= LONG ? whole : folded(`Table of ${counted(rows.length, "row")}: ${caption}`, whole);
}

/** Content behind a line that opens it. */
export const folded = (summary: string, content: Html): Html =>
  html`<details><summary>${summary}</summary>${content}</details>`;

/** Further figures behind a line that opens them. They are printed. */
export const moreFigures = (summary: string, figures: Html): Html =>
  html`<details class="figures"><summary>${summary}</summary>${figures}</details>`;

/** A section's only sentence when it has nothing to show. */
export const empty = (why: string): Html => html`<p class="soft">${why}</p>`;

/** A name as part of a file name. */
export const slug = (...names: readonly string[]): string =>
  names
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
