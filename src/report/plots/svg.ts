/** @file The common parts of all plots: size, font, colours, and the conversion of Plot's element
 *  to markup.
 *  Colours are CSS variables of the page, so one SVG serves light and dark. Names reach Plot only
 *  as text nodes, which it escapes. */
import { type PlotOptions, plot } from "@observablehq/plot";
import { Html, html, NOTHING, raw } from "../shared/html.js";

/** Series colours after Okabe and Ito (2008), which people with any kind of colour vision can tell
 * apart. Dashes distinguish them without colour. */
export const SERIES = [
  "var(--series-1)",
  "var(--series-2)",
  "var(--series-3)",
  "var(--series-4)",
  "var(--series-5)",
] as const;
export const DASHES = ["none", "7 3", "2 3", "9 3 2 3", "4 2"] as const;
export const CLEAN = "var(--clean)";
export const ATTACKED = "var(--series-2)";
export const ATTACKED_DASH = "6 2";

/** Keeps a label readable on top of a line. */
export const HALO = { stroke: "var(--paper)", strokeWidth: 4 };

/** A plot for the page: one drawing, or a wide and a narrow one of which the page shows one. */
export class Chart extends Html {
  /** @param wide the wide drawing alone, for a file of its own */
  constructor(
    text: string,
    readonly wide: Html,
  ) {
    super(text);
  }
}

/** The width of narrow drawings, in pixels: that of a phone, or of a column on paper. */
export const NARROW = 360;
/** Widths of the room, in rem, below which a page shows the narrow drawing (style.ts). */
export const BELOW = [25, 33, 41, 49, 57, 65] as const;
const REM = 16;
/** Drawings of at most this width stay legible on a phone, so they are drawn once. */
const ONCE = 400;
/** A drawing is shown at most this much larger than it is. */
const LARGEST = 1.2;
/** A drawing is shown at least this large, before the narrow one replaces it. */
const SMALLEST = 0.88;

/** The plot for the page, drawn for its own width, and for a narrow page where it is wider than
 * that.
 * @param label describes the plot in words
 * @param width of the wide drawing, in pixels
 * @param draw the plot at a width; whether it is the narrow drawing
 * @param note what the narrow drawing needs below it */
export function chart(
  label: string,
  document: Document,
  width: number,
  draw: (width: number, narrow: boolean) => PlotOptions,
  note: Html = NOTHING,
): Chart {
  const wide = svg(label, document, { ...draw(width, false), width });
  const style = `max-width:${Math.round(LARGEST * width)}px`;
  if (width <= ONCE) return new Chart(html`<div class="chart" style="${style}">${wide}</div>`.text, wide);
  const narrow = svg(label, document, { ...draw(NARROW, true), width: NARROW });
  const below = BELOW.find((step) => step * REM >= SMALLEST * width) ?? BELOW[BELOW.length - 1];
  const text = html`<div class="chart below-${below}" style="${style}"><div class="wide">${wide}</div><div class="narrow">${narrow}${note}</div></div>`;
  return new Chart(text.text, wide);
}

/** The plot as inline SVG, one image to a screen reader: Plot's names of marks are no labels. The
 * page's style sheet has Plot's own. */
function svg(label: string, document: Document, options: PlotOptions): Html {
  const element = plot({
    document,
    className: "plot",
    style: { fontFamily: "inherit", fontSize: "12px", background: "none" },
    ...options,
  });
  const inner = rounded(element.outerHTML.slice("<svg ".length))
    .replace(/<style>.*?<\/style>/s, "")
    .replaceAll(' aria-label="', ' data-mark="');
  return html`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" ${raw(inner)}`;
}

/** Places to a hundredth of a pixel. Nobody sees more, and a page is smaller by a third. */
const rounded = (markup: string): string =>
  markup.replaceAll(/ (?:d|x|y|x1|x2|y1|y2|cx|cy|width|height|transform|fill-opacity)="[^"]*"/g, (attribute) =>
    attribute.replaceAll(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
  );
