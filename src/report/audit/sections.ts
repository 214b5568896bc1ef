/** @file The sections of the page after the summary. A section without content is left out. */
import { counted } from "../../core/units.js";
import { type EecPoint, eec } from "../../measures/eec.js";
import type { AttackRecord, AuditRecord, CurveRecord, GalleryItem } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";
import { eecPlot } from "../plots/eec.js";
import { exitsPlot } from "../plots/exits.js";
import { histogramPlot } from "../plots/histograms.js";
import { key } from "../plots/key.js";
import { robustnessPlot } from "../plots/robustness.js";
import { ATTACKED, ATTACKED_DASH, CLEAN, DASHES, SERIES } from "../plots/svg.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { attackTables } from "./attack-tables.js";
import { gallery } from "./gallery.js";
import { attackParameters, setup } from "./methods.js";
import { thinkingWords } from "./short.js";
import { findings, isStatic } from "./words.js";

/** Accuracy and cost of every exit, as plot and table. A static network has one line. */
export function exitsSection(record: AuditRecord, document: Document): Section {
  if (isStatic(record)) return { id: "exits", title: "Accuracy and cost", body: wholeTable(record) };
  const { model, clean } = record;
  const rows = model.exits.map((exit, i) => ({
    ...exit,
    accuracy: clean.accuracyIntervals[i],
    stops: clean.routed.exitCounts[i],
  }));
  const columns: Column<(typeof rows)[number]>[] = [
    { head: "exit", cell: (row) => row.name },
    { head: "accuracy", cell: (row) => write.rate(row.accuracy) },
    { head: "MACs", cell: (row) => write.count(row.macs) },
    { head: "cost", cell: (row) => write.percent(row.costFraction) },
    { head: "stop here", cell: (row) => row.stops },
  ];
  const figures = table("Accuracy and cost of every exit, and how many samples stop there when routed.", columns, rows);
  // A single exit cannot be compared with others.
  const words = model.exits.length === 1 ? NOTHING : html`<p>${thinkingWords(record)}</p>`;
  return {
    id: "exits",
    title: model.exits.length === 1 ? "Accuracy and cost" : "Accuracy and cost per exit",
    body: html`${words}<div class="pair">${exitsFigure(record, document)}${figures}</div>${gatesTable(record)}`,
  };
}

/** A network without exits and gates has nothing to choose from. */
function wholeTable({ model, clean, data }: AuditRecord): Html {
  const columns: Column<AuditRecord["model"]["exits"][number]>[] = [
    { head: "network", cell: () => model.name },
    { head: "samples", cell: () => data.samples },
    { head: "accuracy", cell: () => write.rate(clean.accuracyIntervals[0]) },
    { head: "MACs", cell: ({ macs }) => write.count(macs) },
  ];
  return table("Accuracy without an attack, and multiply-accumulates for one sample.", columns, model.exits);
}

/** What each gate saves, and how often it is open. */
function gatesTable({ model: { gates }, clean: { routed } }: AuditRecord): Html {
  if (gates === undefined) return NOTHING;
  const rows = gates.map((gate, k) => ({ ...gate, rate: routed.paths?.openRates[k] }));
  const columns: Column<(typeof rows)[number]>[] = [
    { head: "gate", cell: (row) => row.name },
    { head: "MACs", cell: (row) => write.count(row.macs) },
    { head: "cost", cell: (row) => write.percent(row.costFraction) },
    { head: "before exit", cell: (row) => row.exit },
    { head: "open", cell: (row) => (typeof row.rate === "number" ? write.percent(row.rate) : "–") },
  ];
  const caption = `What a closed gate saves, and how often each is open on the clean samples that meet it. ${routed.paths?.distinct ?? 0} different paths.`;
  return html`<details><summary>What each gate saves</summary>${table(caption, columns, rows)}</details>`;
}

const exitsFigure = (record: AuditRecord, document: Document): Html =>
  html`<figure>${exitsPlot(record, document)}<figcaption>${record.model.exits.length === 1 ? BESIDE : BY_EXIT}</figcaption></figure>`;

const BESIDE =
  "Accuracy against mean cost. The diamond is the routed network. Beside it stand the network with all gates open, and networks that decide nothing where they were asked for. Bars are 95 % intervals.";
const BY_EXIT =
  "Accuracy of every exit on all samples against its share of the full cost. Bars are 95 % intervals. The diamond is the routed network at its mean cost. Above the line, routing is more accurate than the exits are at that cost.";

/** Each attack in a sentence, the most dangerous first, and the tables of the attacks. */
export function attacksSection(record: AuditRecord): Section | undefined {
  if (record.attacks.length === 0) return undefined;
  return { id: "attacks", title: "Attacks", body: html`${findingList(record)}${attackTables(record)}` };
}

function findingList(record: AuditRecord): Html {
  const ranked = findings(record);
  const order = ranked.length === 1 ? "" : " The most dangerous comes first.";
  return html`<p>${counted(ranked.length, "attack")} ${ranked.length === 1 ? "was" : "were"} run.${order}</p><ol class="findings">${ranked.map(({ text }) => html`<li>${text}</li>`)}</ol>`;
}

/** EEC curves and exit histograms, one small panel per attack. */
export function routingSection(record: AuditRecord, document: Document): Section | undefined {
  const { model, clean, attacks } = record;
  if (attacks.length === 0 || isStatic(record)) return undefined;
  const before = clean.routed.exitCounts;
  const names = model.exits.map((exit) => exit.name);
  const curveOf = (routed: AttackRecord["routed"]) => eecOf(routed, model.exits);
  const curve = ({ name, routed, efficacyStep }: AttackRecord): Html =>
    panel(
      name,
      `efficacy ${clean.efficacyStep.toFixed(2)} → ${efficacyStep.toFixed(2)}`,
      eecPlot(name, curveOf(clean.routed), curveOf(routed), document),
    );
  const histogram = ({ name, routed }: AttackRecord): Html =>
    panel(
      name,
      `mean cost ${write.percent(clean.routed.meanCostFraction)} → ${write.percent(routed.meanCostFraction)}`,
      histogramPlot(name, before, routed.exitCounts, names, document),
    );
  const keyWith = (dash: string): Html =>
    key([
      { name: "clean", colour: CLEAN, dash: "none" },
      { name: "attacked", colour: ATTACKED, dash },
    ]);
  return {
    id: "routing",
    title: "Where the work stops",
    body: html`<p>EEC curves: the share of samples that are answered by each share of the full cost. The area under a curve is the share of the cost that early exits save. An attack that lowers the curve makes the network slower.</p>${keyWith(ATTACKED_DASH)}<div class="multiples">${attacks.map(curve)}</div>
<p>Histograms of the same data: the share of samples that stop at each exit.</p>${keyWith("none")}<div class="multiples">${attacks.map(histogram)}</div>`,
  };
}

/** The EEC curve of routed answers: by the costs of their paths, or of exits alone. */
function eecOf({ exitCounts, paths }: AttackRecord["routed"], exits: AuditRecord["model"]["exits"]): EecPoint[] {
  const levels = paths?.costs ?? exits.map(({ costFraction }, k) => ({ costFraction, samples: exitCounts[k] }));
  return eec(
    levels.map((level) => level.samples),
    levels.map((level) => level.costFraction),
  );
}

const panel = (name: string, note: string, plot: Html): Html =>
  html`<figure><figcaption><b>${name}</b><br>${note}</figcaption>${plot}</figure>`;

/** Robust accuracy against radius. One figure and table per norm, because radii of two norms do not
 * compare. */
export function radiusSection({ curves }: AuditRecord, document: Document): Section | undefined {
  if (curves.length === 0) return undefined;
  const norms = (["linf", "l2"] as const).filter((norm) => curves.some((curve) => curve.norm === norm));
  const part = (norm: write.Norm): Html =>
    radiusPart(
      norm,
      curves.filter((curve) => curve.norm === norm),
      document,
    );
  return {
    id: "radius",
    title: "Robust accuracy against radius",
    body: html`<p>The accuracy that remains as the allowed change grows. Bands are 95 % intervals; radius 0 is the clean network.</p><div class="pair">${norms.map(part)}</div>`,
  };
}

function radiusPart(norm: write.Norm, curves: readonly CurveRecord[], document: Document): Html {
  const drawn = curves.filter((curve) => curve.nothingToAttack === undefined);
  const entries = drawn.map(({ name }, i) => ({
    name,
    colour: SERIES[i % SERIES.length],
    dash: DASHES[i % DASHES.length],
  }));
  const missing = write.nothingLines(curves).map((line) => html`<p>${line}</p>`);
  if (drawn.length === 0) return html`<div>${missing}</div>`;
  return html`<div><figure>${robustnessPlot(norm, drawn, document)}</figure>${key(entries)}${radiusTable(norm, drawn)}${missing}</div>`;
}

/** One row per radius, one column per curve. */
function radiusTable(norm: write.Norm, curves: readonly CurveRecord[]): Html {
  const radii = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point.radius)))].sort(
    (a, b) => a - b,
  );
  const at = (curve: CurveRecord, radius: number): Rate | undefined =>
    curve.points.find((point) => point.radius === radius)?.robustAccuracy;
  const columns = curves.map(
    (curve): Column<number> => ({
      head: curve.name,
      cell: (radius) => {
        const found = at(curve, radius);
        return found === undefined ? "–" : write.rate(found);
      },
    }),
  );
  const first: Column<number> = {
    head: `${write.NORM_NAMES[norm]} radius`,
    cell: (radius) => (radius === 0 ? "0" : write.radius(norm, radius)),
  };
  return table(`Robust accuracy by ${write.NORM_NAMES[norm]} radius.`, [first, ...columns], radii);
}

const EXITS_BELOW = html`the label and the confidence of every exit: <span aria-hidden="true">●</span> marks the exit where the work stops. Pale exits after it do not run.`;

/** Adversarial images beside their originals. */
export function gallerySection({ model }: AuditRecord, items: readonly GalleryItem[]): Section | undefined {
  if (items.length === 0) return undefined;
  return {
    id: "gallery",
    title: "Adversarial images",
    body: html`<p>The original, the attacked image, and the difference, magnified around grey. Below, ${model.exits.length === 1 ? "the label and its confidence, before and after." : EXITS_BELOW} <b class="wrong">✗</b> marks a wrong label.</p>${gallery(
      items,
      model.exits.map((exit) => exit.name),
      model.classes,
    )}`,
  };
}

/** How to get the same numbers again. */
export const methodsSection = (record: AuditRecord): Section => ({
  id: "methods",
  title: "Methods",
  body: html`${setup(record)}${record.attacks.length > 0 ? attackParameters(record.attacks) : NOTHING}`,
});
