/** @file The report of a study: one page that a reviewer reads in ten minutes. It is a pure
 *  function of its record. */
import { parseHTML } from "linkedom/worker";
import type { StudyRecord } from "../../schema/study/record.js";
import { html, NOTHING } from "../shared/html.js";
import { reportPage } from "../shared/page.js";
import type { Section } from "../shared/shell.js";
import { besideSection } from "./beside.js";
import { checkSection, notRunSection } from "./checks.js";
import { costSection } from "./cost.js";
import { earlySection } from "./early.js";
import { firstExitSection } from "./first-exit.js";
import { about, EDITED, studyShort } from "./head.js";
import { attackSection, networkSection } from "./materials.js";
import { planSection } from "./plan.js";
import { robustnessSection } from "./robustness.js";
import { skippingSections } from "./skipping.js";
import { transferSection } from "./transfer.js";
import { forestSection, verdictSection } from "./verdicts.js";
import { yieldSection } from "./yield.js";

const VERDICTS = [verdictSection, forestSection] as const;

const SECTIONS: readonly ((record: StudyRecord, document: Document) => Section | readonly Section[])[] = [
  robustnessSection,
  transferSection,
  yieldSection,
  costSection,
  firstExitSection,
  earlySection,
  skippingSections,
  checkSection,
  notRunSection,
  networkSection,
  attackSection,
  planSection,
];

/** Options of {@link renderStudy}. */
export interface StudyPageOptions {
  /** Where plots are drawn. Default: a document in memory. */
  readonly document?: Document | undefined;
  /** Another study, which is shown beside this one cell by cell. */
  readonly beside?: StudyRecord | undefined;
}

/** The page as text: self-contained, without scripts, for light and dark screens and for paper.
 * @example
 * await writeFile("report.html", renderStudy(studyRecordSchema.parse(JSON.parse(text))));
 */
export function renderStudy(record: StudyRecord, { document, beside }: StudyPageOptions = {}): string {
  const drawnIn = document ?? parseHTML("<!doctype html><html></html>").document;
  const sections = [
    ...VERDICTS.map((section) => section(record, drawnIn)),
    ...(beside ? [besideSection(record, beside, drawnIn)] : []),
    ...SECTIONS.flatMap((section) => section(record, drawnIn)),
  ];
  const { name, tier, plan, schemaVersion } = record;
  return reportPage({
    title: `${name}: study`,
    kind: `Study of dynamic networks${tier === null ? "" : `, tier ${tier}`}`,
    heading: name,
    about: about(record),
    remarks: plan.edited ? EDITED : NOTHING,
    short: studyShort(record),
    sections,
    foot: html`Study record, schema version ${schemaVersion}. Verdicts speak of this protocol only. Success rates are lower bounds: a stronger attack may raise them.`,
  });
}
