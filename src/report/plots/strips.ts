/** @file Named rows with dots and their intervals: effects by cell, rates by block, changes by
 *  attack. A region of small values can be shaded. */
import { axisX, axisY, dot, gridX, rectX, ruleX, ruleY, text } from "@observablehq/plot";
import { shorten } from "../shared/format.js";
import type { KeyEntry } from "./key.js";
import { type Chart, CLEAN, chart, HALO } from "./svg.js";
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

const [WIDTH, SMALL, LETTER] = [520, 340, 6.4];
/** The longest name beside a row, and above one, in letters. */
const [LONGEST, ALONE] = [26, 46];
/** The height of a name above its row. */
const LINE = 16;
/** Height of a row: room for its dots below each other, in full or, where they are many, closer. */
const [LEAST, STEP, MOST, MOST_BARE] = [24, 9, 100, 48];

/** @param options with at least one row */
export function stripsPlot(options: StripsOptions, document: Document): Chart {
  const { label, rows, series, x } = options;
  const domain = options.domain ?? span(options);
  return chart(label, document, options.small ? SMALL : WIDTH, (width, narrow) => {
    const above = options.small === true || narrow;
    const ticks = x.logarithms ? logTicks(Math.exp(domain[0]), Math.exp(domain[1])).map(Math.log) : width / 85;
    const height = rowHeight(options) + (above ? LINE : 0);
    const dots = rows.flatMap((_, i) => place(dotsIn(options, i), above ? LINE / height : 0));
    const { marks, ...room } = above ? namesAbove(rows, domain[0]) : namesBeside(rows);
    return {
      height: 52 + height * rows.length,
      ...{ ...room, marginRight: 22, marginTop: 6, marginBottom: 40 },
      x: { domain },
      y: { domain: [rows.length - 0.5, -0.5], axis: null },
      marks: [
        ...regionMarks(options),
        gridX({ ticks }),
        ...dotMarks(dots, series),
        axisX({ ticks, tickFormat: x.tickFormat, label: x.label, labelAnchor: "center", labelArrow: "none" }),
        ...marks,
      ],
    };
  });
}

/** Names of rows on the left. */
function namesBeside(rows: readonly string[]) {
  const names = rows.map((name) => shorten(name, LONGEST));
  return {
    marginLeft: 16 + LETTER * Math.max(...names.map(({ length }) => length)),
    marks: [axisY({ ticks: rows.map((_, i) => i), tickFormat: (i: number) => names[i], label: null, tickSize: 0 })],
  };
}

/** Names of rows above their dots, so that the dots have the whole width. */
function namesAbove(rows: readonly string[], left: number) {
  const at = { x: () => left, y: (_: string, i: number) => i - 0.5, text: (name: string) => shorten(name, ALONE) };
  return {
    marginLeft: 18,
    marks: [
      ruleY(rows.slice(1), { y: (_: string, i: number) => i + 0.5, stroke: "var(--rule)" }),
      text(rows, { ...at, dy: 3, textAnchor: "start", lineAnchor: "top", fill: "currentColor", ...HALO }),
    ],
  };
}

function rowHeight({ rows, dots, ...options }: StripsOptions): number {
  const most = Math.max(1, ...rows.map((_, i) => dotsIn({ rows, dots, ...options }, i).length));
  const bare = dots.every(({ low, high }) => low === null && high === null);
  return Math.min(Math.max(LEAST, STEP * (most + 1)), bare ? MOST_BARE : MOST);
}

const dotsIn = ({ dots }: StripsOptions, row: number): StripDot[] => dots.filter((d) => d.row === row);

/** The dots of a row below each other, within 80 % of the height that its name leaves.
 * @param taken the share of the row's height that its name takes, at the top */
const place = (dots: readonly StripDot[], taken: number): Placed[] =>
  dots.map((d, i) => ({ ...d, y: d.row - 0.5 + taken + (1 - taken) * (0.1 + (0.8 * (i + 0.5)) / dots.length) }));

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
