/** @file How often gates are open at each operating point, with the measured time beside the
 *  cost. */
import { DYNAMIC_RATES } from "../../measures/gates.js";
import type { ProfiledPoint, ProfileRecord } from "../../schema/profile-record.js";
import { openRatesPlot } from "../plots/gates.js";
import * as write from "../shared/format.js";
import { type Html, html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { pointWords } from "./verdict.js";

/** One panel per operating point. None for a network without gates. */
export function gatesSections({ model, points }: ProfileRecord, document: Document): Section[] {
  const { gates } = model;
  const shown = points.filter(({ kind, openRates }) => kind === "chosen" && openRates !== undefined);
  if (gates === undefined || shown.length === 0) return [];
  const names = gates.map(({ name }) => name);
  const panel = (point: ProfiledPoint): Html =>
    html`<figure><figcaption><b>${pointWords(point.name)}</b><br>${costAndTime(point)}</figcaption>${openRatesPlot(point.openRates ?? [], names, DYNAMIC_RATES, document)}</figure>`;
  const body = html`<p>The share of images for which each gate is open. Cost: share of the static network's MACs. Time: share of its measured time. Packing rows and small operators take time that MACs do not count.</p><div class="pair">${shown.map(panel)}</div>`;
  return [{ id: "gates", title: "How often gates are open", body }];
}

/** "cost 54.0 %; time 71.2 % at batch 64". */
function costAndTime({ macsFraction, timings }: ProfiledPoint): string {
  const times = timings.map(({ batch, speedUp }) => `${write.percent(1 / speedUp.median)} at batch ${batch}`);
  return `cost ${write.percent(macsFraction)}; time ${times.join(", ")}`;
}
