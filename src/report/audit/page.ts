/** @file The audit report. It is a pure function of the record and the images: the same input gives
 *  the same bytes, without a date or a locale.
 *  Read by: studies, cli. */
import { parseHTML } from "linkedom/worker";
import type { AuditRecord, GalleryItem } from "../../schema/audit-record.js";
import { header } from "../shared/header.js";
import { shell } from "../shared/shell.js";
import {
  attacksSection,
  exitsSection,
  gallerySection,
  methodsSection,
  radiusSection,
  routingSection,
} from "./sections.js";

/** How an audit report is made. */
export interface ReportOptions {
  /** Named in the footer, such as the command line that made the record. */
  readonly generatedBy?: string;
  /** The document in which plots are drawn. A browser may give its own. Default: a document in
   * memory. */
  readonly document?: Document;
}

/** The page as text.
 * @param record the record that `dynn audit --json` writes
 * @param gallery images in the order in which they are shown; may be empty */
export function renderAudit(record: AuditRecord, gallery: readonly GalleryItem[], options: ReportOptions = {}): string {
  const document = options.document ?? parseHTML("<!doctype html><html></html>").document;
  const sections = [
    exitsSection(record, document),
    attacksSection(record),
    routingSection(record, document),
    radiusSection(record, document),
    gallerySection(record, gallery),
    methodsSection(record, options.generatedBy),
  ].filter((section) => section !== undefined);
  return shell(`${record.model.name} on ${record.data.name}: audit`, header(record, sections), sections);
}
