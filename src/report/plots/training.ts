/** @file Curves of a training run: one or more values after each epoch. */
import { dot, gridX, gridY, lineY } from "@observablehq/plot";
import type { KeyEntry } from "./key.js";
import { type Chart, chart, DASHES, SERIES } from "./svg.js";

/** One line: a value for each epoch, from the first on. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

export interface CurvesOptions {
  /** Describes the plot in words. */
  readonly label: string;
  readonly y: string;
  readonly tickFormat?: (value: number) => string;
  /** The ends of the axis. Default: from 0 to the largest value. */
  readonly domain?: readonly [number, number];
  /** Whether the plot is one of many small panels beside each other. */
  readonly small?: boolean;
}

interface Point {
  readonly epoch: number;
  readonly value: number;
}

/** Lines of more epochs are drawn without dots. */
const DOTTED = 30;

/** The colour and dash of the line at `index`. The first 25 lines all differ. */
export const lineStyle = (index: number): Omit<KeyEntry, "name"> => ({
  colour: SERIES[index % SERIES.length],
  dash: DASHES[(index + Math.floor(index / SERIES.length)) % DASHES.length],
});

export function curvesPlot(curves: readonly Curve[], options: CurvesOptions, document: Document): Chart {
  const { label, y, tickFormat, domain, small = false } = options;
  const epochs = Math.max(1, ...curves.map(({ values }) => values.length));
  const largest = Math.max(...curves.flatMap(({ values }) => values), Number.MIN_VALUE);
  const ticks = small ? 3 : 5;
  return chart(label, document, small ? 300 : 400, () => ({
    height: small ? 200 : 270,
    marginLeft: 52,
    marginRight: 24,
    marginBottom: 42,
    insetTop: 6,
    x: {
      domain: [1, Math.max(2, epochs)],
      ticks: wholeTicks(epochs),
      tickFormat: String,
      label: "epoch",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: { domain: domain ?? [0, largest], label: y, labelArrow: "none", ticks, ...(tickFormat ? { tickFormat } : {}) },
    marks: [gridX(wholeTicks(epochs)), gridY({ ticks }), ...curves.flatMap((curve, i) => curveMarks(curve, i))],
  }));
}

function curveMarks({ values }: Curve, index: number) {
  const { colour, dash } = lineStyle(index);
  const points = values.map((value, i): Point => ({ epoch: i + 1, value }));
  const at = { x: (d: Point) => d.epoch, y: (d: Point) => d.value };
  return [
    lineY(points, { ...at, stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
    ...(values.length <= DOTTED ? [dot(points, { ...at, fill: colour, r: 2.5 })] : []),
  ];
}

/** At most six whole numbers from 1 to the last epoch. */
function wholeTicks(epochs: number): number[] {
  const step = Math.ceil(epochs / 6);
  return Array.from({ length: Math.ceil(epochs / step) }, (_, i) => 1 + i * step);
}
