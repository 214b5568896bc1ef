/** @file The key to a plot's lines, as a list beside it: real text, which wraps on a phone and is read aloud. */
import { type Html, html } from "../shared/html.js";

export interface KeyEntry {
  readonly name: string;
  readonly colour: string;
  /** `stroke-dasharray` of the line. */
  readonly dash: string;
}

export const key = (entries: readonly KeyEntry[]): Html =>
  html`<ul class="key">${entries.map(({ name, colour, dash }) => html`<li><svg viewBox="0 0 30 12" aria-hidden="true"><path d="M0,6H30" fill="none" stroke="${colour}" stroke-width="3" stroke-dasharray="${dash}"/></svg>${name}</li>`)}</ul>`;
