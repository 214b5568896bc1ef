/** @file Latency at one batch size: for each network a bar from the median to the 99th percentile,
 *  with a tick at the 95th. */
import { axisX, axisY, dot, gridX, ruleY, tickX } from "@observablehq/plot";
import type { Latency } from "../../schema/profile-record.js";
import { shorten } from "../shared/format.js";
import { type Chart, CLEAN, chart, SERIES } from "./svg.js";

export interface LatencyRow {
  readonly name: string;
  readonly latency: Latency;
  /** Whether the row is a network to compare with, not a point of the profiled network. */
  readonly reference: boolean;
}

const ROW = 26;

/** @param rows at least one */
export function latencyPlot(batch: number, rows: readonly LatencyRow[], document: Document): Chart {
  const y = (_: LatencyRow, i: number): number => i;
  const colour = ({ reference }: LatencyRow): string => (reference ? CLEAN : SERIES[0]);
  return chart(`Latency at batch ${batch}: median, 95th and 99th percentile of each network.`, document, 400, () => ({
    height: 48 + ROW * rows.length,
    marginLeft: 128,
    marginRight: 20,
    marginTop: 4,
    marginBottom: 38,
    x: { domain: [0, 1.05 * Math.max(...rows.map(({ latency }) => latency.p99))] },
    y: { type: "band", domain: rows.map((_, i) => i), padding: 0.35 },
    marks: [
      gridX({ ticks: 5 }),
      ruleY(rows, {
        y,
        x1: (r: LatencyRow) => r.latency.p50,
        x2: (r: LatencyRow) => r.latency.p99,
        stroke: colour,
        strokeWidth: 2,
      }),
      tickX(rows, { y, x: (r: LatencyRow) => r.latency.p95, stroke: colour, strokeWidth: 2 }),
      tickX(rows, { y, x: (r: LatencyRow) => r.latency.p99, stroke: colour, strokeWidth: 2 }),
      dot(rows, { y, x: (r: LatencyRow) => r.latency.p50, fill: colour, stroke: "var(--paper)", r: 5 }),
      axisX({ ticks: 5, label: "ms", labelAnchor: "center", labelArrow: "none" }),
      axisY({ tickFormat: (i: number) => shorten(rows[i].name, 17), label: null, tickSize: 0 }),
    ],
  }));
}
