/** @file The top of a study's report: its size, a remark on an edited plan, and one line per
 *  claim. */
import type { StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { type Html, html } from "../shared/html.js";
import { effect, scaleOf, several, verdictMark } from "./words.js";

/** How many networks and blocks the study has. */
export const about = (record: StudyRecord): string =>
  `${several(record.networks.length, "network")} in ${placeOf(record)}, seed ${record.seed}. Intervals are 95 %.`;

/** Blocks without any network are in the plan, but tell nothing. */
function placeOf({ blocks, networks }: StudyRecord): string {
  const filled = blocks.filter(({ name }) => networks.some(({ block }) => block === name));
  const cells = (of: StudyRecord["blocks"]): number => new Set(of.map(({ cell }) => cell)).size;
  const all = `${several(blocks.length, "block")} of ${several(cells(blocks), "cell")}`;
  if (filled.length === blocks.length) return all;
  return `${several(filled.length, "block")} of ${several(cells(filled), "cell")}; the plan has ${all}`;
}

/** The remark on a plan that changed after the study began. */
export const EDITED = html`<p class="loud" role="note"><b>The plan was edited after the study began.</b> The rules of these verdicts were not all fixed before the results were known. Treat every verdict as exploratory.</p>`;

/** One line per claim. Reasons, tests and numbers of blocks are in the table of verdicts. */
export const studyShort = ({ verdicts }: StudyRecord): Html[] =>
  verdicts.length === 0 ? [html`The plan asks about no claim, so no verdict is given.`] : verdicts.map(lineOf);

const lineOf = (verdict: StudyVerdict): Html =>
  html`<b>${verdict.claim}</b> ${verdict.statement}: ${verdictMark(verdict.verdict)}${size(verdict)}.`;

/** ", 3.1 points (1.2 to 5.0)". Nothing without an effect. */
const size = (verdict: StudyVerdict): string =>
  verdict.effect === null ? "" : `, ${effect(verdict.effect, scaleOf(verdict))}`;
