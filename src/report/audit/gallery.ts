/** @file The gallery: each adversarial image beside its original and the magnified difference, with
 *  the labels of every exit before and after.
 *  A cross marks a wrong label and a dot marks the exit that answers. Colour alone never carries
 *  the meaning. */
import type { ExitView, GalleryItem } from "../../schema/audit-record.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { pngDataUri } from "../shared/png.js";

/** The names for the indices of a gallery item. */
interface Names {
  readonly exits: readonly string[];
  readonly label: (label: number) => string;
}

/** The whole gallery, one card per item.
 * @param exits exit names, in order
 * @param classes class names; a label without a name shows as "class 7" */
export function gallery(
  items: readonly GalleryItem[],
  exits: readonly string[],
  classes: readonly string[] = [],
): Html {
  const names: Names = { exits, label: (label) => classes[label] ?? `class ${label}` };
  return html`<div class="gallery">${items.map((item) => card(item, names))}</div>`;
}

const card = (item: GalleryItem, names: Names): Html =>
  html`<article class="item"><h3>${item.attack} <small>sample ${item.sample}, truly <b>${names.label(item.label)}</b></small></h3>
${images(item, names.label(item.label))}
<p class="sizes">${answer(item.clean, item, names)} → ${answer(item.attacked, item, names)}<br>L2 ${write.l2(item.l2)}, L∞ ${write.linf(item.linf)}</p>
${names.exits.length > 1 ? views(item, names) : NOTHING}</article>
`;

function images(item: GalleryItem, truth: string): Html {
  const image = (data: Uint8Array, caption: string, alt: string): Html =>
    html`<figure><img src="${pngDataUri({ ...item, data })}" alt="${alt}" width="96" height="${Math.round((96 * item.height) / item.width)}"><figcaption>${caption}</figcaption></figure>`;
  return html`<div class="images">${[
    image(item.original, "original", `Sample ${item.sample}, ${truth}, unchanged`),
    image(item.adversarial, "attacked", `Sample ${item.sample} as ${item.attack} changed it`),
    image(
      item.difference,
      `change ×${item.magnification}`,
      `The change, magnified ${item.magnification} times around grey`,
    ),
  ]}</div>`;
}

function answer(seen: ExitView, item: GalleryItem, { exits, label }: Names): Html {
  const where =
    exits.length > 1 ? html` at ${exits[seen.stop]}` : html` ${write.wholePercent(seen.confidences[seen.stop])}`;
  return html`${said(seen.answer, item.label, label)}${where}`;
}

const said = (label: number, truth: number, nameOf: Names["label"]): Html =>
  label === truth
    ? html`<b>${nameOf(label)}</b>`
    : html`<b class="wrong"><span role="img" aria-label="wrong:">✗</span> ${nameOf(label)}</b>`;

/** Every exit's label and confidence, before and after. */
const views = (item: GalleryItem, names: Names): Html =>
  html`<table class="exits"><colgroup><col class="exit"><col><col class="confidence"><col><col class="confidence"></colgroup><thead><tr><th scope="col">exit</th><th scope="col" colspan="2">original</th><th scope="col" colspan="2">attacked</th></tr></thead><tbody>${names.exits.map(
    (name, exit) =>
      html`<tr><th scope="row" title="${name}">${name}</th>${view(item.clean, exit, item.label, names)}${view(item.attacked, exit, item.label, names)}</tr>`,
  )}</tbody></table>`;

/** Two cells of one exit. Exits after the one that answers are pale, because they do not run. */
function view(seen: ExitView, exit: number, truth: number, { label }: Names): Html {
  const state = exit === seen.stop ? "taken" : exit > seen.stop ? "unused" : "passed";
  const dot = exit === seen.stop ? html`<span role="img" aria-label="work stops here:">●</span> ` : NOTHING;
  const full = label(seen.labels[exit]);
  return html`<td class="${state}" title="${full}">${dot}${said(seen.labels[exit], truth, label)}</td><td class="${state}">${write.wholePercent(seen.confidences[exit])}</td>`;
}
