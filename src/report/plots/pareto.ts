/** @file Accuracy against cost on validation records: the points of uniform and of per-exit
 *  thresholds, each exit alone, and the chosen point on validation and on test records.
 *  The curve is a step function: a cost between two points reaches only the cheaper point. */
import { areaY, dot, gridX, gridY, line, ruleX, ruleY, text } from "@observablehq/plot";
import type { CalibrationPoint, CalibrationRecord } from "../../schema/calibration-record.js";
import { wholePercent } from "../shared/format.js";
import type { KeyEntry } from "./key.js";
import { type Chart, CLEAN, chart, DASHES, HALO, SERIES } from "./svg.js";

const WIDTH = 640;
const TEST = SERIES[2];

interface Curve extends KeyEntry {
  readonly points: readonly CalibrationPoint[];
}

interface Place {
  readonly name: string;
  readonly cost: number;
  readonly accuracy: number;
}

/** The curves of a record, with their names, colours and dashes. */
export const curvesOf = ({ curves }: CalibrationRecord): Curve[] =>
  [
    { name: "one threshold for all exits", colour: SERIES[0], dash: DASHES[0], points: curves.uniform },
    { name: "a threshold per exit", colour: SERIES[1], dash: DASHES[1], points: curves.perExit },
  ].filter(({ points }) => points.length > 0);

export function paretoPlot(record: CalibrationRecord, document: Document): Chart {
  const curves = curvesOf(record);
  const [chosen, test] = [placeOf("chosen", record, "validation"), placeOf("test", record, "test")];
  const exits = record.exits.map(
    (exit): Place => ({ name: exit.name, cost: costOf(record, exit), accuracy: exit.validation.accuracy.value }),
  );
  const most = Math.max(...exits.map((e) => e.cost));
  const inTime = record.costUnit === "milliseconds";
  return chart(
    "Accuracy against mean cost: the best that thresholds reach on validation records, every exit alone, and the chosen point on validation and on test records with 95 % intervals.",
    document,
    WIDTH,
    (width) => ({
      height: 210 + 0.3 * width,
      marginLeft: 52,
      marginRight: 30,
      marginBottom: 42,
      insetTop: 12,
      x: {
        domain: [0, most],
        label: inTime ? "mean time per sample, ms" : "mean cost, share of the full network",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 6,
        ...(inTime ? {} : { tickFormat: wholePercent }),
      },
      y: {
        domain: span(record, exits),
        label: "accuracy",
        labelArrow: "none",
        tickFormat: wholePercent,
        ticks: 6,
        clamp: true,
      },
      marks: [
        gridX({ ticks: 6 }),
        gridY({ ticks: 6 }),
        ...curves.flatMap((curve, i) => curveMarks(curve, most, i === curves.length - 1)),
        dot(exits, { x: "cost", y: "accuracy", fill: CLEAN, stroke: "var(--paper)", r: 4.5 }),
        ...testMarks(record, test),
        dot([chosen], {
          x: "cost",
          y: "accuracy",
          fill: "currentColor",
          stroke: "var(--paper)",
          symbol: "diamond",
          r: 7,
        }),
        ...labels([chosen], "currentColor", -12),
        ...labels([test], "var(--good)", 16),
      ],
    }),
  );
}

/** Bands of two curves would overlap, so only the band of the chosen kind is drawn: the last. */
function curveMarks({ points, colour, dash }: Curve, most: number, banded: boolean) {
  // Thresholds with a higher cost do not exceed the accuracy of the last point.
  const last = points[points.length - 1];
  const drawn = [...points, { ...last, validation: { ...last.validation, cost: most } }];
  const at = { x: (p: CalibrationPoint) => p.validation.cost, curve: "step-after" } as const;
  const band = {
    y1: (p: CalibrationPoint) => p.validation.accuracy.low,
    y2: (p: CalibrationPoint) => p.validation.accuracy.high,
  };
  return [
    ...(banded ? [areaY(drawn, { ...at, ...band, fill: colour, fillOpacity: 0.12 })] : []),
    line(drawn, {
      ...at,
      y: (p: CalibrationPoint) => p.validation.accuracy.value,
      stroke: colour,
      strokeWidth: 2,
      strokeDasharray: dash,
    }),
  ];
}

/** The test point as a cross of its two intervals. */
function testMarks({ test, costUnit }: CalibrationRecord, place: Place) {
  const cost = costUnit === "milliseconds" && test.meanMilliseconds ? test.meanMilliseconds : test.meanCostFraction;
  return [
    ruleX([place], {
      x: "cost",
      y1: () => test.accuracy.low,
      y2: () => test.accuracy.high,
      stroke: TEST,
      strokeWidth: 2,
    }),
    ruleY([place], { y: "accuracy", x1: () => cost.low, x2: () => cost.high, stroke: TEST, strokeWidth: 2 }),
    dot([place], { x: "cost", y: "accuracy", fill: TEST, stroke: "var(--paper)", symbol: "square", r: 5 }),
  ];
}

const labels = (places: readonly Place[], colour: string, dy: number) => [
  text(places, {
    x: "cost",
    y: "accuracy",
    text: "name",
    dy,
    dx: 6,
    textAnchor: "start",
    fill: colour,
    fontWeight: 600,
    ...HALO,
  }),
];

const costOf = ({ costUnit }: CalibrationRecord, exit: CalibrationRecord["exits"][number]): number =>
  costUnit === "milliseconds" ? (exit.milliseconds ?? 0) : exit.costFraction;

function placeOf(name: string, record: CalibrationRecord, side: "validation" | "test"): Place {
  const { accuracy, meanCostFraction, meanMilliseconds } = record[side];
  const cost = record.costUnit === "milliseconds" && meanMilliseconds ? meanMilliseconds : meanCostFraction;
  return { name, cost: cost.value, accuracy: accuracy.value };
}

/** The range of everything drawn, in tens of percent. */
function span({ curves, test }: CalibrationRecord, exits: readonly Place[]): [number, number] {
  const points = [...curves.uniform, ...curves.perExit].map((p) => p.validation.accuracy);
  const low = Math.min(test.accuracy.low, ...exits.map((e) => e.accuracy), ...points.map((p) => p.low));
  const high = Math.max(test.accuracy.high, ...exits.map((e) => e.accuracy), ...points.map((p) => p.high));
  return [Math.max(0, Math.floor(10 * low) / 10), Math.min(1, Math.ceil(10 * high) / 10)];
}
