/** @file The form of every report: the top, "In short", the sections, and the words that it uses.
 *  A report states its parts. What all reports have is added here. */
import * as write from "./format.js";
import { glossarySection } from "./glossary.js";
import { type Html, type HtmlContent, html, NOTHING, withCode } from "./html.js";
import { type Section, shell } from "./shell.js";

/** What a report states of itself. */
export interface Page {
  /** The title of the window. */
  readonly title: string;
  /** The kind of report, above the heading. */
  readonly kind: string;
  readonly heading: HtmlContent;
  /** One soft line below the heading: how many samples, from where. */
  readonly about: HtmlContent;
  /** Notes and warnings (`remarks`), and whatever must be read before the numbers. */
  readonly remarks?: Html;
  /** Key figures (`card`). Empty ones are left out. */
  readonly cards?: readonly Html[];
  /** "In short": a few plain sentences, computed from the record. The first says most. */
  readonly short: readonly HtmlContent[];
  readonly sections: readonly Section[];
  /** What stands below everything. */
  readonly foot?: Html;
}

/** The page as text. */
export function reportPage({ title, short, foot, ...page }: Page): string {
  const { about, remarks = NOTHING, cards = [] } = page;
  const said = [about, remarks, ...cards, ...short, ...page.sections.map(({ body }) => body), foot ?? NOTHING];
  const sections = [...page.sections, ...glossarySection(said)];
  return shell(title, html`${top(page)}${summary(short, sections)}`, sections, foot);
}

const top = ({ kind, heading, about, remarks = NOTHING, cards = [] }: Omit<Page, "title" | "short" | "foot">): Html =>
  html`<header><p class="kicker">${kind}</p>
<h1>${heading}</h1>
<p class="soft">${typeof about === "string" ? write.unbroken(about) : about}</p>
${remarks}${cardList(cards.filter((one) => one !== NOTHING))}</header>`;

const cardList = (cards: readonly Html[]): Html =>
  cards.length === 0 ? NOTHING : html`<dl class="cards">${cards}</dl>`;

const summary = (short: readonly HtmlContent[], sections: readonly Section[]): Html =>
  html`<section id="summary"><h2>In short</h2>
<ul class="short">${short.map((sentence) => html`<li>${typeof sentence === "string" ? withCode(sentence) : sentence}</li>`)}</ul>
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></section>`;

/** A key figure.
 * @param figure the number itself, short enough for one line */
export const card = (what: string, figure: string, note: string): Html =>
  html`<div class="card"><dt>${what}</dt><dd class="figure">${figure}</dd><dd>${note}</dd></div>`;
