/** @file The frame of every report: one HTML page that works without network, scripts and further
 *  files.
 *  A content security policy in the page forbids every request, so even a mistake here could not
 *  reach the network. */
import { type Html, html, NOTHING } from "./html.js";
import { STYLE } from "./style.js";

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** The page as text.
 * @param foot stands below all sections */
export const shell = (title: string, header: Html, sections: readonly Section[], foot?: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${header}
${sections.map(({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>${body}</section>\n`)}
${foot === undefined ? NOTHING : html`<footer>${foot}</footer>`}
</main>
</body>
</html>
`.text;
