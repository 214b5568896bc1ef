/** @file The gates of a training run: mean cost and open rates after each epoch. */
import { counted } from "../../core/units.js";
import { isDynamic } from "../../measures/gates.js";
import type { EpochReport, TrainingRecord } from "../../schema/training.js";
import { heatKey, heatMapPlot } from "../plots/heat-map.js";
import { key } from "../plots/key.js";
import { type Curve, curvesPlot, lineStyle } from "../plots/training.js";
import * as write from "../shared/format.js";
import { html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";

type Gates = NonNullable<TrainingRecord["gates"]>;

/** Mean cost of the final exit under open rates, as a share of the full cost. */
export const meanCost = (gates: Gates, rates: readonly number[]): number =>
  gates.reduce((cost, { costFraction }, k) => cost - costFraction * (1 - rates[k]), 1);

/** Rates of an epoch. Records of runs without gates have none. */
const validationRates = ({ validationGateRates = [] }: EpochReport): readonly number[] => validationGateRates;

/** What the gates do on validation records after the last epoch, in a sentence. */
export function gateSentences({ gates = [], epochs }: TrainingRecord): string[] {
  const rates = epochs.map(validationRates).at(-1) ?? [];
  if (gates.length === 0 || rates.length === 0) return [];
  const deciding = rates.filter(isDynamic).length;
  const rest =
    deciding === 0
      ? "No gate decides: each is open, or closed, for nearly all of them."
      : `${deciding} of ${counted(gates.length, "gate decides: it is", "gates decide: they are")} open for some and closed for others.`;
  return [
    `On validation samples the final exit costs ${write.percent(meanCost(gates, rates))} of the full network on average. ${rest}`,
  ];
}

/** Most columns of the map. */
const COLUMNS = 24;

/** Mean cost and open rates by epoch. Left out for a run without gates. */
export function gatesSection({ gates = [], epochs }: TrainingRecord, document: Document): Section | undefined {
  if (gates.length === 0 || epochs.some((epoch) => validationRates(epoch).length === 0)) return undefined;
  const costs: Curve[] = [
    { name: "validation, as it is deployed", values: epochs.map((e) => meanCost(gates, validationRates(e))) },
    { name: "training, with noise", values: epochs.map((e) => meanCost(gates, e.gateRates ?? [])) },
  ];
  const label = "Mean cost of the final exit after each epoch, as a share of the full network.";
  const options = { label, y: "mean cost", tickFormat: write.wholePercent, domain: [0, 1] } as const;
  const map = "Share of the validation samples for which each gate is open, after each epoch.";
  return {
    id: "gates",
    title: "Gates",
    body: html`<div class="pair"><figure>${curvesPlot(costs, options, document)}${key(costs.map(({ name }, i) => ({ name, ...lineStyle(i) })))}<figcaption>${label}</figcaption></figure></div>
<figure>${ratesMap(gates, epochs, map, document)}<figcaption>${map} A gate that is always open, or always closed, decides nothing.</figcaption></figure>${heatKey()}`,
  };
}

/** The last epoch is always among the columns. */
function ratesMap(gates: Gates, epochs: readonly EpochReport[], label: string, document: Document) {
  const step = Math.ceil(epochs.length / COLUMNS);
  const shown = epochs.filter((_, i) => (epochs.length - 1 - i) % step === 0);
  return heatMapPlot(
    {
      label,
      rows: gates.map(({ name }) => name),
      columns: shown.map(({ epoch }) => String(epoch + 1)),
      cells: shown.flatMap((epoch, column) =>
        validationRates(epoch).map((value, row) => ({ row, column, value, sign: "" })),
      ),
      axes: { rows: "gate", columns: "epoch" },
    },
    document,
  );
}
