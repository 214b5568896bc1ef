/** @file Named rows with dots and their intervals: effects by cell, rates by block, changes by
 *  attack. A region of small values can be shaded. */
import { axisX, axisY, dot, gridX, rectX, ruleX, ruleY } from "@observablehq/plot";
import { shorten } from "../shared/format.js";
import type { Html } from "../shared/html.js";
import type { KeyEntry } from "./key.js";
import { CLEAN, svg } from "./svg.js";
import { logTicks } from "./ticks.js";

/** One dot. */
export interface StripDot {
  /** Index of its row. */
  readonly row: number;
  /** Index of its series. */
  readonly series: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface StripsOptions {
  /** Describes the plot in words. */
  readonly label: string;
  readonly rows: readonly string[];
  readonly dots: readonly StripDot[];
  /** Colour and symbol of each series. */
  readonly series: readonly KeyEntry[];
  readonly x: {
    readonly label: string;
    readonly tickFormat: (value: number) => string;
    /** Whether values are natural logarithms. Ticks then stand at round ratios. */
    readonly logarithms?: boolean;
  };
  /** Whether the plot is one of several beside each other. */
  readonly small?: boolean;
  /** The ends of the axis. Default: all intervals, the shaded region, and 0. */
  readonly domain?: readonly [number, number];
  /** A region that is shaded. */
  readonly region?: readonly [number, number];
  /** A value that is marked by a dashed line. */
  readonly limit?: number;
}

interface Placed extends StripDot {
  readonly y: number;
}

const [WIDTH, SMALL, LETTER, LONGEST] = [440, 330, 6.4, 26];
/** Height of a row: room for its dots below each other, in full or, where they are many, closer. */
const [LEAST, STEP, MOST, MOST_BARE] = [24, 9, 100, 48];

/** @param options with at least one row */
export function stripsPlot(options: StripsOptions, document: Document): Html {
  const { label, rows, series, x } = options;
  const names = rows.map((name) => shorten(name, LONGEST));
  const domain = options.domain ?? span(options);
  const ticks = x.logarithms ? logTicks(Math.exp(domain[0]), Math.exp(domain[1])).map(Math.log) : 5;
  return svg(label, document, {
    width: options.small ? SMALL : WIDTH,
    height: 52 + rowHeight(options) * rows.length,
    marginLeft: 16 + LETTER * Math.max(...names.map(({ length }) => length)),
    marginRight: 22,
    marginTop: 6,
    marginBottom: 40,
    x: { domain },
    y: { domain: [rows.length - 0.5, -0.5] },
    marks: [
      ...regionMarks(options),
      gridX({ ticks }),
      ...dotMarks(
        rows.flatMap((_, i) => place(dotsIn(options, i))),
        series,
      ),
      axisX({ ticks, tickFormat: x.tickFormat, label: x.label, labelAnchor: "center", labelArrow: "none" }),
      axisY({ ticks: rows.map((_, i) => i), tickFormat: (i: number) => names[i], label: null, tickSize: 0 }),
    ],
  });
}

function rowHeight({ rows, dots, ...options }: StripsOptions): number {
  const most = Math.max(1, ...rows.map((_, i) => dotsIn({ rows, dots, ...options }, i).length));
  const bare = dots.every(({ low, high }) => low === null && high === null);
  return Math.min(Math.max(LEAST, STEP * (most + 1)), bare ? MOST_BARE : MOST);
}

const dotsIn = ({ dots }: StripsOptions, row: number): StripDot[] => dots.filter((d) => d.row === row);

/** The dots of a row below each other, within 80 % of its height. */
const place = (dots: readonly StripDot[]): Placed[] =>
  dots.map((d, i) => ({ ...d, y: d.row + 0.8 * ((i + 0.5) / dots.length - 0.5) }));

function dotMarks(dots: readonly Placed[], series: readonly KeyEntry[]) {
  const colour = (d: Placed): string => series[d.series].colour;
  const bounded = dots.filter(({ low, high }) => low !== null && high !== null);
  const ends = { x1: (d: Placed) => d.low ?? d.value, x2: (d: Placed) => d.high ?? d.value };
  return [
    ruleY(bounded, { ...ends, y: "y", stroke: colour, strokeWidth: 2, strokeOpacity: 0.6 }),
    dot(dots, {
      ...{ x: "value", y: "y", fill: colour, stroke: "var(--paper)", r: 3.5 },
      symbol: (d: Placed) => series[d.series].symbol ?? "circle",
    }),
  ];
}

/** The shaded region, the line at 0, and the limit. */
function regionMarks({ region, limit }: StripsOptions) {
  return [
    ...(region ? [rectX([region], { x1: region[0], x2: region[1], fill: CLEAN, fillOpacity: 0.16 })] : []),
    ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
    ...(limit === undefined
      ? []
      : [ruleX([limit], { stroke: "var(--wrong)", strokeWidth: 1.5, strokeDasharray: "5 3" })]),
  ];
}

/** From the lowest to the highest value, with a little room. */
function span({ dots, region = [0, 0], limit = 0 }: StripsOptions): [number, number] {
  const all = [0, limit, ...region, ...dots.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = 0.04 * (high - low || 1);
  return [low < 0 ? low - room : low, high + room];
}
