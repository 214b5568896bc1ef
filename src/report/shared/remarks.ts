/** @file What a page says beside its numbers: notes on the data, and warnings that cast doubt on
 *  the numbers. */
import type { Steadiness } from "../../schema/steadiness.js";
import { type Html, html, NOTHING } from "./html.js";

/** Notes and warnings of a record. Nothing when the record has neither.
 * @param steadiness of the machine. Its warning comes after the others */
export function remarks(
  notes: readonly string[] = [],
  warnings: readonly string[] = [],
  steadiness?: Steadiness,
): Html {
  const all = steadiness?.warning === undefined ? warnings : [...warnings, steadiness.warning];
  if (notes.length + all.length === 0) return NOTHING;
  return html`${all.map((text) => html`<p class="warning"><b>Warning:</b> ${text}</p>`)}${notes.map((text) => html`<p class="soft">${text}</p>`)}`;
}
