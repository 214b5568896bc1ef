/** @file The section of networks with gates: which blocks run for which images, whether the cost
 *  follows difficulty, and whether fixed blocks would do as well. */
import { DYNAMIC_RATES } from "../../measures/gates.js";
import type { AuditRecord } from "../../schema/audit-record.js";
import type { DifficultyRecord, GateBaseline, SkippingRecord } from "../../schema/skipping.js";
import { executedPlot, openRatesPlot } from "../plots/gates.js";
import { heatKey, heatMapPlot } from "../plots/heat-map.js";
import { key } from "../plots/key.js";
import { CLEAN, SERIES } from "../plots/svg.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { type Fact, list } from "./methods.js";
import { BASELINES, showP, skippingWords } from "./skipping-words.js";

/** What the gates do. Left out for a network without gates, and for records of earlier
 * releases. */
export function skippingSection(record: AuditRecord, document: Document): Section | undefined {
  const { skipping } = record.clean;
  if (skipping === undefined) return undefined;
  return {
    id: "blocks",
    title: "Blocks that run",
    body: html`${list(skippingWords(record).map(([term, words]): Fact => [term, words]))}${figures(record, skipping, document)}${classMap(record, skipping, document)}${quarterTable(skipping)}${baselineTable(record, skipping)}`,
  };
}

function figures({ model, clean }: AuditRecord, { executed }: SkippingRecord, document: Document): Html {
  const names = (model.gates ?? []).map(({ name }) => name);
  const rates = clean.routed.paths?.openRates ?? [];
  const symbol = { dash: "none", symbol: "square" } as const;
  return html`<div class="pair"><figure>${executedPlot(executed.counts, executed.mean, document)}${key([{ name: "mean", colour: SERIES[1], dash: "5 3" }])}<figcaption>Blocks with a gate that run for a clean sample. One bar far above all others is a network that decides little.</figcaption></figure>
<figure>${openRatesPlot(rates, names, DYNAMIC_RATES, document)}${key([
    { name: "decides", colour: SERIES[0], ...symbol },
    { name: "nearly always open or closed", colour: CLEAN, ...symbol },
  ])}<figcaption>How often each gate is open, in the order of the network, among the samples that meet it.</figcaption></figure></div>`;
}

/** Maps of more classes are folded, because they are long. */
const FOLDED = 30;

/** Open rates by class and gate. */
function classMap({ model }: AuditRecord, { byClass }: SkippingRecord, document: Document): Html {
  const gates = (model.gates ?? []).map(({ name }) => name);
  const classes = byClass.map(({ label }) => model.classes?.[label] ?? `class ${label}`);
  const label = "Share of the samples of each class for which each gate is open.";
  const plot = heatMapPlot(
    {
      ...{ label, rows: classes, columns: gates, axes: { rows: "class", columns: "gate" } },
      cells: byClass.flatMap(({ openRates }, row) =>
        openRates.map((value, column) => ({ row, column, value, sign: "" })),
      ),
    },
    document,
  );
  const map = html`<figure>${plot}<figcaption>${label} A dash: no sample of the class meets the gate. Rows that look alike: the gates do not look at the class.</figcaption></figure>${heatKey()}`;
  const shown =
    classes.length > FOLDED
      ? html`<details><summary>The map of ${classes.length} classes</summary>${map}</details>`
      : map;
  return html`<h3>Open gates by class</h3>${shown}${classTable(byClass, classes, gates)}`;
}

function classTable(byClass: SkippingRecord["byClass"], classes: readonly string[], gates: readonly string[]): Html {
  type Row = SkippingRecord["byClass"][number] & { readonly name: string };
  const columns: Column<Row>[] = [
    { head: "class", cell: (row) => row.name },
    { head: "samples", cell: (row) => row.samples },
    { head: "blocks", cell: (row) => row.meanBlocks.toFixed(1) },
    { head: "mean cost", cell: (row) => write.percent(row.meanCostFraction) },
    ...gates.map((head, k) => ({
      head,
      cell: (row: Row) => (typeof row.openRates[k] === "number" ? write.wholePercent(row.openRates[k]) : "–"),
    })),
  ];
  const rows = byClass.map((one, i) => ({ ...one, name: classes[i] }));
  return html`<details><summary>The numbers</summary>${table("Blocks, mean cost and open gates by true class.", columns, rows)}</details>`;
}

const QUARTERS = ["easiest quarter", "second", "third", "most difficult quarter"];

/** Cost and accuracy from easy to difficult samples, side by side for each reference. */
function quarterTable({ difficulty }: SkippingRecord): Html {
  const shown = difficulty.filter(({ quarters }) => quarters.length > 0);
  if (shown.length === 0) return NOTHING;
  const of = ({ reference, quarters }: DifficultyRecord): Column<number>[] => [
    { head: `mean cost, by ${reference}`, cell: (k) => write.percent(quarters[k].meanCostFraction) },
    { head: "accuracy", cell: (k) => write.percent(quarters[k].accuracy) },
  ];
  const columns: Column<number>[] = [{ head: "samples", cell: (k) => QUARTERS[k] }, ...shown.flatMap(of)];
  const caption =
    "The routed network on four groups of samples, by the margin that another network gives to the true class. A network that spends more on difficult samples has rising costs.";
  return html`<h3>Easy and difficult samples</h3>${table(caption, columns, [0, 1, 2, 3])}`;
}

/** The gated network beside networks that decide nothing. */
function baselineTable({ model }: AuditRecord, { baselines }: SkippingRecord): Html {
  if (baselines === undefined) return NOTHING;
  type Row = Pick<GateBaseline, "accuracy" | "meanCostFraction"> & {
    readonly name: string;
    readonly beside?: GateBaseline;
  };
  const rows: Row[] = [
    { ...baselines, name: model.name },
    ...baselines.compared.map((one) => ({ ...one, name: BASELINES[one.kind], beside: one })),
  ];
  const points = ({ gain: { value, low, high } }: GateBaseline): string =>
    `${(100 * value).toFixed(1)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`.replaceAll("-", "−");
  const columns: Column<Row>[] = [
    { head: "network", cell: (row) => row.name },
    { head: "accuracy", cell: (row) => write.rate(row.accuracy) },
    { head: "mean cost", cell: (row) => write.percent(row.meanCostFraction) },
    { head: "gain of the gates, points", cell: (row) => (row.beside ? points(row.beside) : "") },
    { head: "only the gates right", cell: (row) => row.beside?.onlyNetwork ?? "" },
    { head: "only the other right", cell: (row) => row.beside?.onlyBaseline ?? "" },
    { head: "p", cell: (row) => (row.beside ? showP(row.beside.p) : "") },
  ];
  const caption = `The same ${write.samples(baselines.samples)} in every row. Gain: Tango's 95 % interval; p: McNemar's exact test.`;
  const how = baselines.compared.map(
    ({ kind, about, open }): Fact => [
      BASELINES[kind],
      open === undefined ? about : `${about} Open: ${open.length > 0 ? open.join(", ") : "none"}.`,
    ],
  );
  return html`<h3>Would a network without decisions do as well?</h3>${table(caption, columns, rows)}${list(how)}`;
}
