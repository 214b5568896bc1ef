/** @file Dots of several series in a plane, with a logarithmic vertical axis: a dose and its
 *  response. */
import { dot, gridX, gridY } from "@observablehq/plot";
import type { KeyEntry } from "./key.js";
import { type Chart, chart } from "./svg.js";
import { logTicks } from "./ticks.js";

export interface ScatterDot {
  readonly x: number;
  /** Above 0. */
  readonly y: number;
  /** Index of its series. */
  readonly series: number;
}

export interface ScatterOptions {
  /** Describes the plot in words. */
  readonly label: string;
  readonly dots: readonly ScatterDot[];
  /** Colour and symbol of each series. */
  readonly series: readonly KeyEntry[];
  readonly x: { readonly label: string; readonly tickFormat: (value: number) => string };
  readonly y: { readonly label: string; readonly tickFormat: (value: number) => string };
}

/** @param options with at least one dot */
export function scatterPlot({ label, dots, series, x, y }: ScatterOptions, document: Document): Chart {
  const ys = dots.map((d) => d.y);
  const ends = [0.95 * Math.min(...ys), 1.05 * Math.max(...ys)] as const;
  const ticks = logTicks(...ends);
  return chart(label, document, 440, () => ({
    height: 310,
    marginLeft: 52,
    marginRight: 24,
    marginBottom: 42,
    inset: 8,
    x: { label: x.label, tickFormat: x.tickFormat, ticks: 5, labelAnchor: "center", labelArrow: "none" },
    y: {
      ...{ type: "log", domain: ends, ticks },
      ...{ label: y.label, tickFormat: y.tickFormat, labelArrow: "none" },
    },
    marks: [
      gridX({ ticks: 5 }),
      gridY({ ticks }),
      dot(dots, {
        ...{ x: "x", y: "y", r: 4, fillOpacity: 0.85, fill: (d: ScatterDot) => series[d.series].colour },
        symbol: (d: ScatterDot) => series[d.series].symbol ?? "circle",
      }),
    ],
  }));
}
