/** @file Accuracy against measured time per image at one batch size: operating points by name,
 *  sweeps as lines, the static network and the baseline for comparison. */

import { dot, gridX, gridY, line, ruleX, ruleY, text } from "@observablehq/plot";
import type { Rate } from "../../schema/numbers.js";
import type { ProfileRecord, Spread, Timing } from "../../schema/profile-record.js";
import { pointWords } from "../profile/verdict.js";
import { wholePercent } from "../shared/format.js";
import { type Html, html } from "../shared/html.js";
import type { KeyEntry } from "./key.js";
import { type Chart, CLEAN, chart, DASHES, SERIES } from "./svg.js";

interface Place {
  readonly name: string;
  readonly time: Spread;
  readonly accuracy: Rate;
}

const [WIDTH, HEIGHT] = [420, 320];
/** The rules with a sweep, with their colours and dashes. */
export const sweepsOf = ({ points }: ProfileRecord): KeyEntry[] =>
  [...new Set(points.filter((p) => p.kind === "sweep").map((p) => p.rule))].map((name, i) => ({
    name,
    colour: SERIES[(i + 1) % SERIES.length],
    dash: DASHES[i % DASHES.length],
  }));

/** The network or point behind a mark of the plot. */
interface Marked {
  /** One letter or number, inside the mark. */
  readonly mark: string;
  readonly name: string;
  /** Whether it is a network that always runs to its end. */
  readonly reference: boolean;
  readonly source: { readonly accuracy: Rate; readonly timings: readonly Timing[] };
}

/** Networks by letter, chosen points by number. */
const markedOf = ({ static: fixed, baseline, points }: ProfileRecord): Marked[] => [
  { mark: "S", name: "static", reference: true, source: fixed },
  ...(baseline ? [{ mark: "B", name: `baseline ${baseline.name}`, reference: true, source: baseline }] : []),
  ...points
    .filter(({ kind }) => kind === "chosen")
    .map((source, i) => ({ mark: String(i + 1), name: pointWords(source.name), reference: false, source })),
];

/** The key of the marks. */
export const marksKey = (record: ProfileRecord): Html =>
  html`<ul class="key">${markedOf(record).map(({ mark, name }) => html`<li><b>${mark}</b> ${name}</li>`)}</ul>`;

/** @param batch one of the record's batch sizes */
export function profilePlot(record: ProfileRecord, batch: number, document: Document): Chart {
  const marked = markedOf(record).map((mark) => ({ ...mark, places: place(mark.mark, mark.source, batch) }));
  const sweeps = sweepsOf(record).map((entry) => ({
    ...entry,
    places: record.points
      .filter((p) => p.kind === "sweep" && p.rule === entry.name)
      .flatMap((p) => place(p.name, p, batch)),
  }));
  const all = [...marked, ...sweeps].flatMap(({ places }) => places);
  return chart(
    `Accuracy against measured time per image at batch ${batch}, with 95 % intervals of accuracy and the range of time over the rounds.`,
    document,
    WIDTH,
    (width) => ({
      height: HEIGHT,
      marginLeft: 52,
      marginRight: 24,
      marginBottom: 42,
      insetTop: 12,
      x: {
        domain: [0, 1.05 * Math.max(...all.map((p) => p.time.high))],
        label: "time per image, ms",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: width / 70,
      },
      y: { domain: span(all), label: "accuracy", labelArrow: "none", tickFormat: wholePercent, ticks: 6 },
      marks: [
        gridX({ ticks: 6 }),
        gridY({ ticks: 6 }),
        ...sweeps.map(({ places, colour, dash }) =>
          line(places, { x, y, stroke: colour, strokeWidth: 1.5, strokeDasharray: dash }),
        ),
        ...sweeps.map(({ places, colour }) => dot(places, { x, y, fill: colour, r: 2.5 })),
        ...marked.flatMap(({ places, reference }) => marks(places, reference)),
      ],
    }),
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

const marks = (places: readonly Place[], reference: boolean) => {
  const colour = reference ? CLEAN : SERIES[0];
  return [
    ruleX(places, {
      x,
      y1: (p: Place) => p.accuracy.low,
      y2: (p: Place) => p.accuracy.high,
      stroke: colour,
      strokeOpacity: 0.5,
    }),
    ruleY(places, { y, x1: (p: Place) => p.time.low, x2: (p: Place) => p.time.high, stroke: colour, strokeWidth: 2 }),
    dot(places, { x, y, fill: colour, stroke: "var(--paper)", symbol: reference ? "square" : "circle", r: 8 }),
    text(places, { x, y, text: "name", fill: "var(--paper)", fontWeight: 700, fontSize: 11 }),
  ];
};

/** The range of all intervals, in tens of percent. */
function span(all: readonly Place[]): [number, number] {
  const low = Math.min(...all.map((p) => p.accuracy.low));
  const high = Math.max(...all.map((p) => p.accuracy.high));
  return [Math.max(0, Math.floor(10 * low) / 10), Math.min(1, Math.ceil(10 * high) / 10)];
}
