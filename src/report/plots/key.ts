/** @file The key of a plot's lines, as a list beside the plot: real text, which wraps on a phone
 *  and which a screen reader reads. */
import { type Html, html } from "../shared/html.js";

export interface KeyEntry {
  readonly name: string;
  readonly colour: string;
  /** `stroke-dasharray` of the line. */
  readonly dash: string;
}

export const key = (entries: readonly KeyEntry[]): Html =>
  html`<ul class="key">${entries.map(({ name, colour, dash }) => html`<li><svg viewBox="0 0 30 12" aria-hidden="true"><path d="M0,6H30" fill="none" stroke="${colour}" stroke-width="3" stroke-dasharray="${dash}"/></svg>${name}</li>`)}</ul>`;
