/** @file The share of images that stop at each exit, under one policy. */
import { axisX, axisY, barX, gridX } from "@observablehq/plot";
import { shorten, wholePercent } from "../shared/format.js";
import { type Chart, chart, SERIES } from "./svg.js";

const ROW = 24;

/** @param exitCounts images that stop at each of `exits` */
export function profileExitsPlot(
  name: string,
  exitCounts: readonly number[],
  exits: readonly string[],
  document: Document,
): Chart {
  const total = exitCounts.reduce((sum, count) => sum + count, 0);
  const bars = exitCounts.map((count, exit) => ({ exit, share: count / total }));
  return chart(`Share of images that stop at each exit, ${name}.`, document, 300, () => ({
    height: 40 + ROW * exits.length,
    marginLeft: 66,
    marginRight: 24,
    marginTop: 4,
    marginBottom: 36,
    x: { domain: [0, 1] },
    y: { domain: bars.map(({ exit }) => exit), padding: 0.25 },
    marks: [
      gridX({ ticks: 4 }),
      barX(bars, { x: "share", y: "exit", fill: SERIES[0] }),
      axisX({ ticks: 2, tickFormat: wholePercent, label: "images", labelAnchor: "center", labelArrow: "none" }),
      axisY({ tickFormat: (i: number) => shorten(exits[i], 9), label: null, tickSize: 0 }),
    ],
  }));
}
