/** @file What a page says beside its numbers: notes on the data, and warnings that cast doubt on
 *  the numbers. */
import { type Html, html, NOTHING } from "./html.js";

/** Notes and warnings of a record; nothing where there are none. */
export function remarks(notes: readonly string[] = [], warnings: readonly string[] = []): Html {
  if (notes.length + warnings.length === 0) return NOTHING;
  return html`${warnings.map((text) => html`<p class="warning"><b>Warning:</b> ${text}</p>`)}${notes.map((text) => html`<p class="soft">${text}</p>`)}`;
}
