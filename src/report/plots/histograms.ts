/** @file Where the work stops: the share of samples per exit, clean (wide, pale) behind attacked
 *  (narrow, strong). */
import { axisX, axisY, barX, gridX } from "@observablehq/plot";
import { shorten, wholePercent } from "../shared/format.js";
import { ATTACKED, type Chart, CLEAN, chart } from "./svg.js";

const ROW = 24;

/** @param clean, attacked samples that stop at each exit */
export function histogramPlot(
  name: string,
  clean: readonly number[],
  attacked: readonly number[],
  exits: readonly string[],
  document: Document,
): Chart {
  const y = exits.map((_, i) => i);
  const tick = (i: number): string => shorten(exits[i], 9);
  return chart(`Share of samples that stop at each exit, clean against ${name}.`, document, 300, () => ({
    height: 40 + ROW * exits.length,
    marginLeft: 66,
    marginRight: 24,
    marginTop: 4,
    marginBottom: 36,
    x: { domain: [0, 1] },
    y: { domain: y, padding: 0.2 },
    marks: [
      gridX({ ticks: 4 }),
      barX(shares(clean), { x: "share", y: "exit", fill: CLEAN, fillOpacity: 0.4 }),
      barX(shares(attacked), { x: "share", y: "exit", fill: ATTACKED, insetTop: 5, insetBottom: 5 }),
      axisX({ ticks: 2, tickFormat: wholePercent, label: "samples", labelAnchor: "center", labelArrow: "none" }),
      axisY({ tickFormat: tick, label: null, tickSize: 0 }),
    ],
  }));
}

function shares(counts: readonly number[]): { readonly exit: number; readonly share: number }[] {
  const total = Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  );
  return counts.map((count, exit) => ({ exit, share: count / total }));
}
