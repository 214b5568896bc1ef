/** @file A tagged template that escapes all its values. Only the literal parts of a template and
 *  `raw` give markup.
 *  So a model or class name can never add an element or end an attribute (attributes are always
 *  quoted).
 *  Read by: every file of the report. */

/** Finished markup. */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlContent = Html | string | number | readonly HtmlContent[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

const render = (part: HtmlContent): string => {
  if (part instanceof Html) return part.text;
  return typeof part === "object" ? part.map(render).join("") : escaped(String(part));
};

/** Markup from a template: `html\`<b>${name}</b>\``. */
export const html = (literals: TemplateStringsArray, ...parts: readonly HtmlContent[]): Html =>
  new Html(literals.reduce((text, literal, i) => text + render(parts[i - 1]) + literal));

/** Markup that is known to be safe: the report or Plot wrote it. It never holds a name from a
 * model. */
export const raw = (text: string): Html => new Html(text);

export const NOTHING = raw("");

/** Text whose commands stand between backticks, as the terminal shows them. */
export const withCode = (text: string): Html =>
  html`${text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;
