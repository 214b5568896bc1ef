/** @file The audit report: one HTML page that needs no network, no script and no file beside it.
 *  A pure function of the record and the images: the same input gives the same bytes, with no date and no locale.
 *  A content security policy in the page forbids every request, so even a mistake here could not reach the network.
 *  Read by: studies, cli. */
import { parseHTML } from "linkedom/worker";
import type { AuditRecord, GalleryItem } from "../measures/audit-record.js";
import { header } from "./header.js";
import { html } from "./html.js";
import {
  attacksSection,
  exitsSection,
  gallerySection,
  methodsSection,
  radiusSection,
  routingSection,
} from "./sections.js";
import { STYLE } from "./style.js";

export interface ReportOptions {
  /** Named in the footer, such as the command line that made the record. */
  readonly generatedBy?: string;
  /** Where plots are drawn; a browser may give its own. By default one that lives in memory. */
  readonly document?: Document;
}

/** The page as text.
 * @param record  what `dynn audit --json` writes
 * @param gallery images in the order shown; may be empty */
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
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${record.model.name} on ${record.data.name}: audit</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${header(record, sections)}
${sections.map(({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>${body}</section>\n`)}
</main>
</body>
</html>
`.text;
}
