/** @file The common parts of all plots: size, font, colours, and the conversion of Plot's element
 *  to markup.
 *  Colours are CSS variables of the page, so one SVG serves light and dark. Names reach Plot only
 *  as text nodes, which it escapes. */
import { type PlotOptions, plot } from "@observablehq/plot";
import { type Html, html, raw } from "../shared/html.js";

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

/** The plot as inline SVG, one image to a screen reader.
 * @param label describes the plot in words */
export function svg(label: string, document: Document, options: PlotOptions): Html {
  const element = plot({
    document,
    className: "plot",
    style: { fontFamily: "inherit", fontSize: "12px", background: "none" },
    ...options,
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" ${raw(element.outerHTML.slice("<svg ".length))}`;
}
