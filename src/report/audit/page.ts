/** @file The audit report. It is a pure function of the record and the images: the same input gives
 *  the same bytes. A date in it is the record's.
 *  Read by: studies, cli. */
import type { AuditRecord, GalleryItem } from "../../schema/audit-record.js";
import { showKind } from "../../schema/units.js";
import { type DrawOptions, drawingIn } from "../shared/drawing.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import {
  attacksSection,
  exitsSection,
  gallerySection,
  methodsSection,
  radiusSection,
  routingSection,
} from "./sections.js";
import { auditShort, worstOf } from "./short.js";
import { skippingSection } from "./skipping-section.js";
import { answerName, isStatic } from "./words.js";

/** How an audit report is made. */
export interface ReportOptions extends DrawOptions {
  /** Images, in the order in which they are shown. Default: none. */
  readonly gallery?: readonly GalleryItem[] | undefined;
  /** Named in the footer, such as the command line that made the record. */
  readonly generatedBy?: string | undefined;
}

/** The page as text.
 * @param record the record that `dynn audit --json` writes
 * @example
 * const { record, gallery } = await audit(options);
 * writeFileSync("report.html", renderAudit(record, { gallery })); */
export function renderAudit(record: AuditRecord, options: ReportOptions = {}): string {
  const document = drawingIn(options);
  const sections = [
    exitsSection(record, document),
    skippingSection(record, document),
    attacksSection(record),
    routingSection(record, document),
    radiusSection(record, document),
    gallerySection(record, options.gallery ?? []),
    methodsSection(record),
  ].filter((section) => section !== undefined);
  const { model, data } = record;
  return reportPage({
    title: `${model.name} on ${data.name}: audit`,
    kind: `Audit of ${showKind(model)}`,
    heading: html`${model.name} <small>on ${data.name}</small>`,
    about: `${write.samples(data.samples)}, seed ${data.seed}. Rates come with their 95 % intervals.`,
    remarks: remarks(data.notes, record.warnings),
    cards: cards(record),
    short: auditShort(record),
    sections,
    foot: foot(record, options.generatedBy),
  });
}

/** The key figures: clean accuracy and cost, the attack that lowers accuracy most, the attack that
 * raises cost most. */
function cards(record: AuditRecord): Html[] {
  const { accuracy, meanCostFraction } = record.clean.routed;
  const { harmful, slowest } = worstOf(record);
  return [
    card(
      "accuracy, clean",
      write.percent(accuracy),
      `95 %: ${write.interval(write.rateOf(accuracy, record.data.samples))}`,
    ),
    isStatic(record)
      ? NOTHING
      : card("mean cost, clean", write.percent(meanCostFraction), `saves ${write.percent(1 - meanCostFraction)}`),
    harmful
      ? card(
          "accuracy, worst attack",
          write.percent(harmful.robustAccuracy.value),
          isStatic(record) ? harmful.name : `${harmful.name}, ${answerName(harmful.answer)}`,
        )
      : NOTHING,
    slowest ? card("mean cost, worst attack", write.percent(slowest.routed.meanCostFraction), slowest.name) : NOTHING,
  ];
}

/** What holds for all numbers, and how they were made. */
const foot = ({ schemaVersion }: AuditRecord, generatedBy: string | undefined): Html =>
  html`Audit record, schema version ${schemaVersion}. Robust accuracy is an upper bound: a stronger attack may lower it.${
    generatedBy === undefined ? NOTHING : html` Made by <code>${generatedBy}</code>.`
  }`;
