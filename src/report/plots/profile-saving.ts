/** @file Measured against predicted speed-up. On the diagonal, time is saved in proportion to
 *  multiply-accumulates. One colour and symbol per batch size. */
import { dot, gridX, gridY, link, ruleX } from "@observablehq/plot";
import type { ProfileRecord, Spread } from "../../schema/profile-record.js";
import type { Html } from "../shared/html.js";
import { key, SYMBOLS } from "./key.js";
import { type Chart, CLEAN, chart, SERIES } from "./svg.js";

interface Place {
  readonly predicted: number;
  readonly measured: Spread;
}

const [WIDTH, HEIGHT] = [400, 330];

/** @param record with at least one operating point */
export function savingPlot(record: ProfileRecord, document: Document): Chart {
  const series = record.batches.map((batch, i) => ({
    places: placesAt(record, batch),
    colour: SERIES[i % SERIES.length],
    symbol: SYMBOLS[i % SYMBOLS.length],
  }));
  const most =
    1.05 * Math.max(1, ...series.flatMap(({ places }) => places.flatMap((p) => [p.predicted, p.measured.high])));
  const axis = { domain: [0, most], labelArrow: "none", ticks: 5, tickFormat: (v: number) => `${v}×` } as const;
  return chart("Measured against predicted speed-up of every operating point and batch size.", document, WIDTH, () => ({
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 24,
    marginBottom: 42,
    insetTop: 8,
    x: { ...axis, label: "speed-up by MACs", labelAnchor: "center" },
    y: { ...axis, label: "measured speed-up" },
    marks: [
      gridX({ ticks: 5 }),
      gridY({ ticks: 5 }),
      link([0], { x1: 0, y1: 0, x2: most, y2: most, stroke: CLEAN, strokeDasharray: "4 3" }),
      link([0], { x1: 0, y1: 1, x2: most, y2: 1, stroke: CLEAN, strokeOpacity: 0.5 }),
      ...series.flatMap(({ places, colour, symbol }) => [
        ruleX(places, {
          x: "predicted",
          y1: (p: Place) => p.measured.low,
          y2: (p: Place) => p.measured.high,
          stroke: colour,
          strokeOpacity: 0.5,
        }),
        dot(places, { x: "predicted", y: (p: Place) => p.measured.median, fill: colour, symbol, r: 3.5 }),
      ]),
    ],
  }));
}

const placesAt = ({ points }: ProfileRecord, batch: number): Place[] =>
  points.flatMap(({ macsFraction, timings }) =>
    timings
      .filter((timing) => timing.batch === batch)
      .map(({ speedUp }) => ({ predicted: 1 / macsFraction, measured: speedUp })),
  );

/** The key of the batch sizes. */
export const savingKey = ({ batches }: ProfileRecord): Html =>
  key(
    batches.map((batch, i) => ({
      ...{ name: `batch ${batch}`, colour: SERIES[i % SERIES.length], dash: "none" },
      symbol: SYMBOLS[i % SYMBOLS.length],
    })),
  );
