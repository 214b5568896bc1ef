/** @file Accuracy against measured time per image at one batch size: operating points by name, sweeps as lines, the static network and the
 *  baseline as reference. */
import { dot, gridX, gridY, line, ruleX, ruleY, text } from "@observablehq/plot";
import type { Rate } from "../../measures/audit-record.js";
import type { ProfileRecord, Spread, Timing } from "../../measures/profile-record.js";
import { wholePercent } from "../format.js";
import type { Html } from "../html.js";
import type { KeyEntry } from "./key.js";
import { CLEAN, DASHES, SERIES, svg } from "./svg.js";

interface Place {
  readonly name: string;
  readonly time: Spread;
  readonly accuracy: Rate;
}

const [WIDTH, HEIGHT] = [640, 400];
/** Keeps a label readable on top of a line. */
const HALO = { stroke: "var(--paper)", strokeWidth: 4 };

/** The rules with a sweep, with the colours and dashes they are drawn in. */
export const sweepsOf = ({ points }: ProfileRecord): KeyEntry[] =>
  [...new Set(points.filter((p) => p.kind === "sweep").map((p) => p.rule))].map((name, i) => ({
    name,
    colour: SERIES[(i + 1) % SERIES.length],
    dash: DASHES[i % DASHES.length],
  }));

/** @param batch one of the record's */
export function profilePlot(record: ProfileRecord, batch: number, document: Document): Html {
  const networks = [
    place("static", record.static, batch),
    ...(record.baseline ? [place("baseline", record.baseline, batch)] : []),
  ].flat();
  const chosen = record.points.filter((p) => p.kind === "chosen").flatMap((p) => place(p.name, p, batch));
  const sweeps = sweepsOf(record).map((entry) => ({
    ...entry,
    places: record.points
      .filter((p) => p.kind === "sweep" && p.rule === entry.name)
      .flatMap((p) => place(p.name, p, batch)),
  }));
  const all = [...networks, ...chosen, ...sweeps.flatMap((sweep) => sweep.places)];
  return svg(
    `Accuracy against measured time per image at batch ${batch}, with 95 % intervals of accuracy and the range of time over the rounds.`,
    document,
    {
      width: WIDTH,
      height: HEIGHT,
      marginLeft: 52,
      marginRight: 100,
      marginBottom: 42,
      insetTop: 12,
      x: {
        domain: [0, 1.05 * Math.max(...all.map((p) => p.time.high))],
        label: "time per image, ms",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 6,
      },
      y: { domain: span(all), label: "accuracy", labelArrow: "none", tickFormat: wholePercent, ticks: 6 },
      marks: [
        gridX({ ticks: 6 }),
        gridY({ ticks: 6 }),
        ...sweeps.map(({ places, colour, dash }) =>
          line(places, { x, y, stroke: colour, strokeWidth: 1.5, strokeDasharray: dash }),
        ),
        ...sweeps.map(({ places, colour }) => dot(places, { x, y, fill: colour, r: 2.5 })),
        ...marks(networks, CLEAN, "square"),
        ...marks(chosen, SERIES[0], "circle"),
        ...labels(networks, "currentColor", 1),
        ...labels(apart(chosen, all), SERIES[0], -1),
      ],
    },
  );
}

const x = (p: Place): number => p.time.median;
const y = (p: Place): number => p.accuracy.value;

function place(
  name: string,
  { accuracy, timings }: { readonly accuracy: Rate; readonly timings: readonly Timing[] },
  batch: number,
): Place[] {
  return timings.filter((t) => t.batch === batch).map(({ msPerImage }) => ({ name, accuracy, time: msPerImage }));
}

const marks = (places: readonly Place[], colour: string, symbol: "circle" | "square") => [
  ruleX(places, {
    x,
    y1: (p: Place) => p.accuracy.low,
    y2: (p: Place) => p.accuracy.high,
    stroke: colour,
    strokeOpacity: 0.5,
  }),
  ruleY(places, { y, x1: (p: Place) => p.time.low, x2: (p: Place) => p.time.high, stroke: colour, strokeWidth: 2 }),
  dot(places, { x, y, fill: colour, stroke: "var(--paper)", symbol, r: 5.5 }),
];

/** @param side 1 below the point, -1 above it */
const labels = (places: readonly Place[], colour: string, side: 1 | -1) => [
  text(places, {
    x,
    y,
    text: "name",
    dx: 8,
    dy: 12 * side,
    textAnchor: "start",
    fill: colour,
    fontWeight: 600,
    ...HALO,
  }),
];

/** Places whose labels do not run into one another, from the most accurate on; the table beside the plot names all. */
function apart(places: readonly Place[], all: readonly Place[]): Place[] {
  const [low, high] = span(all);
  const width = Math.max(...all.map((p) => p.time.high));
  const near = (a: Place, b: Place): boolean =>
    Math.abs(x(a) - x(b)) < 0.25 * width && Math.abs(y(a) - y(b)) < 0.05 * (high - low);
  const kept: Place[] = [];
  for (const each of [...places].sort((a, b) => y(b) - y(a))) if (!kept.some((k) => near(k, each))) kept.push(each);
  return kept;
}

/** Tens of percent around every interval. */
function span(all: readonly Place[]): [number, number] {
  const low = Math.min(...all.map((p) => p.accuracy.low));
  const high = Math.max(...all.map((p) => p.accuracy.high));
  return [Math.max(0, Math.floor(10 * low) / 10), Math.min(1, Math.ceil(10 * high) / 10)];
}
