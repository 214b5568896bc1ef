/** @file Lines over a common axis: shares without success over work or norm, label changes over
 *  the cost of the first exit. */
import { dot, gridX, gridY, lineY, ruleX } from "@observablehq/plot";
import { wholePercent } from "../shared/format.js";
import type { KeyEntry } from "./key.js";
import { type Chart, chart } from "./svg.js";
import { logTicks } from "./ticks.js";

/** One point of a line, with its interval where it has one. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface PlotLine extends Pick<KeyEntry, "colour" | "dash"> {
  readonly points: readonly LinePoint[];
}

export interface LinesOptions {
  /** Describes the plot in words. */
  readonly label: string;
  readonly lines: readonly PlotLine[];
  readonly x: {
    readonly label: string;
    readonly tickFormat: (value: number) => string;
    readonly logarithmic?: boolean;
  };
  readonly y: string;
  /** Whether a line stays at its value until the next point, as a share of survivors does. */
  readonly steps?: boolean;
}

/** @param options with at least one point. Values of y are shares */
export function linesPlot({ label, lines, x, y, steps = false }: LinesOptions, document: Document): Chart {
  const xs = lines.flatMap(({ points }) => points.map((p) => p.x));
  const ends = [Math.min(...xs), Math.max(...xs)] as const;
  const ticks = x.logarithmic ? logTicks(...ends) : 4;
  return chart(label, document, 300, () => ({
    height: 215,
    marginLeft: 46,
    marginRight: 20,
    marginBottom: 40,
    insetTop: 6,
    insetLeft: x.logarithmic ? 6 : 0,
    insetRight: 6,
    x: {
      ...{ type: x.logarithmic ? "log" : "linear", domain: domain(ends, x.logarithmic), ticks },
      ...{ tickFormat: x.tickFormat, label: x.label, labelAnchor: "center", labelArrow: "none" },
    },
    y: { domain: [0, 1], label: y, labelArrow: "none", ticks: 5, tickFormat: wholePercent },
    marks: [gridX({ ticks }), gridY({ ticks: 5 }), ...lines.flatMap((l) => marks(l, steps))],
  }));
}

const domain = ([low, high]: readonly [number, number], logarithmic = false): [number, number] =>
  logarithmic ? [low, Math.max(high, 1.01 * low)] : [Math.min(0, low), high > low ? high : low + 1];

function marks({ points, colour, dash }: PlotLine, steps: boolean) {
  const line = lineY(points, {
    ...{ x: "x", y: "y", stroke: colour, strokeWidth: 1.7, strokeDasharray: dash },
    curve: steps ? "step-after" : "linear",
  });
  if (steps) return [line];
  const bounded = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  const bars = ruleX(bounded, { x: "x", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.4 });
  return [bars, line, dot(points, { x: "x", y: "y", fill: colour, r: 2.2 })];
}
