/** @file The top of a study's report: name and tier, a remark on an edited plan, and one sentence
 *  per claim. */
import type { StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { outcome, several, verdictMark } from "./words.js";

/** @param sections linked below the sentences */
export function head(record: StudyRecord, sections: readonly Section[]): Html {
  const { name, tier, seed, blocks, networks } = record;
  const cells = new Set(blocks.map(({ cell }) => cell)).size;
  return html`<header><p class="kicker">Study of dynamic networks${tier === null ? "" : `, tier ${tier}`}</p>
<h1>${name}</h1>
<p class="soft">${several(networks.length, "network")} in ${several(blocks.length, "block")} of ${several(cells, "cell")}, seed ${seed}. Intervals are 95 %.</p>
${record.plan.edited ? EDITED : NOTHING}</header>
<section id="summary"><h2>In short</h2>
${claimList(record.verdicts)}
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></section>`;
}

const EDITED = html`<p class="loud" role="note"><b>The plan was edited after the study began.</b> The rules of these verdicts were not all fixed before the results were known. Treat every verdict as exploratory.</p>`;

function claimList(verdicts: readonly StudyVerdict[]): Html {
  if (verdicts.length === 0) return html`<p>The plan asks about no claim, so no verdict is given.</p>`;
  const item = (verdict: StudyVerdict): Html =>
    html`<li><b>${verdict.claim}</b> ${verdict.statement}: ${verdictMark(verdict.verdict)}. ${outcome(verdict)}</li>`;
  return html`<ul class="claims">${verdicts.map(item)}</ul>`;
}
