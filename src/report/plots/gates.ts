/** @file What gates do: how many blocks samples run, and how often each gate is open. */
import { axisX, axisY, barX, gridX, gridY, rectY, ruleX } from "@observablehq/plot";
import { shorten, wholePercent } from "../shared/format.js";
import { type Chart, CLEAN, chart, SERIES } from "./svg.js";

const ROW = 15;
const TOP = 6;
const LETTER = 6.4;
const LONGEST = 22;

/** The share of samples that ran each number of blocks.
 * @param counts samples that ran 0, 1, 2, ... blocks; at least one sample */
export function executedPlot(counts: readonly number[], mean: number, document: Document): Chart {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bars = counts.map((count, blocks) => ({ from: blocks - 0.45, to: blocks + 0.45, share: count / total }));
  const step = Math.ceil(counts.length / 9);
  return chart("Share of samples that run each number of blocks with a gate.", document, 400, () => ({
    height: 270,
    marginLeft: 52,
    marginRight: 24,
    marginBottom: 42,
    insetTop: TOP,
    x: { domain: [-0.6, counts.length - 0.4] },
    y: { label: "samples", labelArrow: "none", ticks: 5, tickFormat: wholePercent },
    marks: [
      gridY({ ticks: 5 }),
      rectY(bars, { x1: "from", x2: "to", y: "share", fill: SERIES[0] }),
      ruleX([mean], { stroke: SERIES[1], strokeWidth: 2, strokeDasharray: "5 3" }),
      axisX({
        ticks: counts.flatMap((_, blocks) => (blocks % step === 0 ? [blocks] : [])),
        tickFormat: String,
        label: "blocks with a gate that run",
        labelAnchor: "center",
        labelArrow: "none",
      }),
    ],
  }));
}

/** The open rate of each gate, in the order of the network.
 * @param rates null: no sample meets the gate
 * @param band rates between these numbers belong to gates that decide */
export function openRatesPlot(
  rates: readonly (number | null)[],
  names: readonly string[],
  band: readonly [number, number],
  document: Document,
): Chart {
  const bars = rates.flatMap((rate, gate) => (rate === null ? [] : [{ gate, rate, decides: inside(rate, band) }]));
  const left = 14 + LETTER * Math.max(...names.map((name) => Math.min(LONGEST, name.length)));
  return chart("Share of samples for which each gate is open.", document, 400, () => ({
    height: 46 + ROW * rates.length,
    ...{ marginLeft: left, marginRight: 24, marginTop: TOP, marginBottom: 40 },
    x: { domain: [0, 1] },
    y: { domain: rates.map((_, gate) => gate), padding: 0.2 },
    marks: [
      gridX({ ticks: 4 }),
      barX(bars, { x: "rate", y: "gate", fill: ({ decides }) => (decides ? SERIES[0] : CLEAN) }),
      axisX({ ticks: 4, tickFormat: wholePercent, label: "open", labelAnchor: "center", labelArrow: "none" }),
      axisY({ tickFormat: (gate: number) => shorten(names[gate], LONGEST), label: null, tickSize: 0 }),
    ],
  }));
}

const inside = (rate: number, [low, high]: readonly [number, number]): boolean => rate > low && rate < high;
