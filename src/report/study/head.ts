/** @file The top of a study's report: its size, a remark on an edited plan, and one sentence per
 *  claim. */
import type { StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { type Html, html } from "../shared/html.js";
import { outcome, several, verdictMark } from "./words.js";

/** How many networks and blocks the study has. */
export function about({ seed, blocks, networks }: StudyRecord): string {
  const cells = new Set(blocks.map(({ cell }) => cell)).size;
  return `${several(networks.length, "network")} in ${several(blocks.length, "block")} of ${several(cells, "cell")}, seed ${seed}. Intervals are 95 %.`;
}

/** The remark on a plan that changed after the study began. */
export const EDITED = html`<p class="loud" role="note"><b>The plan was edited after the study began.</b> The rules of these verdicts were not all fixed before the results were known. Treat every verdict as exploratory.</p>`;

/** One sentence per claim. */
export const studyShort = ({ verdicts }: StudyRecord): Html[] =>
  verdicts.length === 0 ? [html`The plan asks about no claim, so no verdict is given.`] : verdicts.map(sentenceOf);

const sentenceOf = (verdict: StudyVerdict): Html =>
  html`<b>${verdict.claim}</b> ${verdict.statement}: ${verdictMark(verdict.verdict)}. ${outcome(verdict)}`;
