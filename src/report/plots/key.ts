/** @file The key of a plot's lines and symbols, as a list beside the plot: real text, which wraps
 *  on a phone and which a screen reader reads. */
import { type Html, html } from "../shared/html.js";

/** Symbols of dots, in the order in which series take them. */
export const SYMBOLS = ["circle", "square", "diamond", "triangle", "cross"] as const;
export type PlotSymbol = (typeof SYMBOLS)[number];

/** Outlines of the symbols, within 12 by 12. */
const OUTLINES: Readonly<Record<PlotSymbol, string>> = {
  circle: "M6,2a4,4 0 1,0 .01,0Z",
  square: "M2.5,2.5h7v7h-7Z",
  diamond: "M6,1l4,5l-4,5l-4,-5Z",
  triangle: "M6,1.5l5,8.5h-10Z",
  cross: "M4.5,1.5h3v3h3v3h-3v3h-3v-3h-3v-3h3Z",
};

export interface KeyEntry {
  readonly name: string;
  readonly colour: string;
  /** `stroke-dasharray` of the line. */
  readonly dash: string;
  /** Drawn instead of the line. */
  readonly symbol?: PlotSymbol;
}

/** What stands before the name, within 30 by 12. */
export const keySign = ({ colour, dash, symbol }: KeyEntry): Html =>
  symbol === undefined
    ? html`<path d="M0,6H30" fill="none" stroke="${colour}" stroke-width="3" stroke-dasharray="${dash}"/>`
    : html`<path d="${OUTLINES[symbol]}" transform="translate(9)" fill="${colour}"/>`;

export const key = (entries: readonly KeyEntry[]): Html =>
  html`<ul class="key">${entries.map((entry) => html`<li><svg viewBox="0 0 30 12" aria-hidden="true">${keySign(entry)}</svg>${entry.name}</li>`)}</ul>`;
