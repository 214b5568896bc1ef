/** @file The top of the page: title, key figures, the summary in words, and links to the sections.
 *  */
import { type AttackRecord, type AuditRecord, NONE_RIGHT } from "../../schema/audit-record.js";
import { showKind } from "../../schema/units.js";
import { answerName, cleanWords, findings, isStatic } from "../audit/words.js";
import * as write from "./format.js";
import { type Html, html, NOTHING } from "./html.js";
import { remarks } from "./remarks.js";
import type { Section } from "./shell.js";

export function header(record: AuditRecord, sections: readonly Section[]): Html {
  const { model, data } = record;
  return html`<header><p class="kicker">Audit of ${showKind(model)}</p>
<h1>${model.name} <small>on ${data.name}</small></h1>
<p class="soft">${write.samples(data.samples)}, seed ${data.seed}. Rates come with their 95 % intervals.</p>
${remarks(data.notes, record.warnings)}${cards(record)}
</header>
<section id="summary"><h2>In short</h2>
<p class="lead">${cleanWords(record)}</p>
${findingList(record)}
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></section>`;
}

function findingList(record: AuditRecord): Html {
  const ranked = findings(record);
  if (ranked.length === 0) return html`<p>No attack was run, so this report does not measure robustness.</p>`;
  const intro =
    ranked.length === 1 ? "One attack was run:" : `${ranked.length} attacks were run. The most dangerous comes first:`;
  return html`<p>${intro}</p><ol class="findings">${ranked.map((finding) => html`<li>${finding.text}</li>`)}</ol>`;
}

/** The key figures: clean accuracy and cost, the attack that lowers accuracy most, the attack that
 * raises cost most. */
function cards(record: AuditRecord): Html {
  const { clean, data, attacks } = record;
  const { accuracy, meanCostFraction } = clean.routed;
  const judged = attacks.filter((attack) => attack.nothingToAttack !== NONE_RIGHT);
  const harmful = least(judged, (attack) => attack.robustAccuracy.value);
  const slowest = least(attacks, (attack) => -attack.routed.meanCostFraction);
  return html`<dl class="cards">
${card("accuracy, clean", write.percent(accuracy), `95 %: ${write.interval(write.rateOf(accuracy, data.samples))}`)}
${card("mean cost, clean", write.percent(meanCostFraction), `saves ${write.percent(1 - meanCostFraction)}`)}
${harmful ? card("accuracy, worst attack", write.percent(harmful.robustAccuracy.value), `${harmful.name}, ${answerName(harmful.answer)}`) : NOTHING}
${slowest && !isStatic(record) ? card("mean cost, worst attack", write.percent(slowest.routed.meanCostFraction), slowest.name) : NOTHING}
</dl>`;
}

/** A key figure, for a list of class "cards". */
export const card = (what: string, figure: string, note: string): Html =>
  html`<div class="card"><dt>${what}</dt><dd class="figure">${figure}</dd><dd>${note}</dd></div>`;

/** The first attack of the smallest size. */
function least(attacks: readonly AttackRecord[], size: (attack: AttackRecord) => number): AttackRecord | undefined {
  return [...attacks].sort((a, b) => size(a) - size(b))[0];
}
