/** @file The words that a report uses, each with the sentence of docs/glossary.md. A word that the
 *  report does not use is left out. */
import { GLOSSARY } from "./glossary-terms.js";
import { type HtmlContent, html } from "./html.js";
import type { Section } from "./shell.js";

/** The section of the words that the content uses. None when it uses none. */
export function glossarySection(content: HtmlContent): Section[] {
  const used = usedTerms(readable(html`${content}`.text));
  if (used.length === 0) return [];
  const entries = used.map(([term, meaning]) => html`<dt>${term}</dt><dd>${meaning}</dd>`);
  return [{ id: "words", title: "Words used here", body: html`<dl class="facts">${entries}</dl>` }];
}

/** The terms of the glossary that a text uses, by name. */
export const usedTerms = (text: string): (readonly [term: string, meaning: string])[] =>
  Object.entries(GLOSSARY).filter(([term]) => finder(term).test(text));

/** A term as a word of its own, in the singular or the plural, whatever its first letter. */
const finder = (term: string): RegExp =>
  new RegExp(`(?<![\\w-])(?:${term}(?:s|es)?|${term.replace(/y$/, "ies")})(?![\\w-])`, "i");

/** The text that a reader sees. Values in attributes are escaped, so that ">" ends a tag. */
const readable = (markup: string): string =>
  markup
    .replaceAll(/<style>.*?<\/style>/gs, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("\u00a0", " ")
    .replaceAll(/\s+/g, " ");
