/** @file Accuracy against cost: each exit with its interval, and the routed network at its mean
 *  cost. A network with gates and one exit stands beside networks that decide nothing. */
import { dot, gridX, gridY, line, ruleX, text } from "@observablehq/plot";
import type { AuditRecord } from "../../schema/audit-record.js";
import type { Rate } from "../../schema/numbers.js";
import { rateOf, shorten, wholePercent } from "../shared/format.js";
import { type Chart, CLEAN, chart, HALO, SERIES } from "./svg.js";

interface Place {
  readonly name: string;
  readonly cost: number;
  readonly accuracy: Rate;
}

const [WIDTH, HEIGHT] = [400, 290];
/** Height of a line of text, in pixels, with the share of the drawing that axes take. */
const LINE = 18;
/** Labels of two exits that are closer than this share of the axis would touch. The table beside
 * the plot names every exit. */
const LABEL_GAP = 0.15;

const NAMES = {
  ...{ "fixed-blocks": "fixed", "most-open-blocks": "most open", "random-gates": "random", static: "static" },
} as const;

/** Networks beside one whose single exit gives the routed answer. Undefined for other networks. */
function besideGates({ model, clean: { skipping } }: AuditRecord): Place[] | undefined {
  if (model.exits.length > 1 || skipping === undefined) return undefined;
  const open = skipping.difficulty.slice(0, 1).map(({ accuracy }) => ({ name: "all open", cost: 1, accuracy }));
  const others = (skipping.baselines?.compared ?? []).map(({ kind, meanCostFraction, accuracy }) => ({
    ...{ name: NAMES[kind], cost: meanCostFraction, accuracy },
  }));
  return [...open, ...others];
}

const exitPlaces = ({ model, clean }: AuditRecord): Place[] =>
  model.exits.map((exit, i) => ({
    ...{ name: shorten(exit.name, 10), cost: exit.costFraction, accuracy: clean.accuracyIntervals[i] },
  }));

/** @param record of a network with at least two exits, or with gates */
export function exitsPlot(record: AuditRecord, document: Document): Chart {
  const { clean, data } = record;
  const beside = besideGates(record);
  const exits = beside ?? exitPlaces(record);
  const routed: Place = {
    name: "routed",
    cost: clean.routed.meanCostFraction,
    accuracy: rateOf(clean.routed.accuracy, data.samples),
  };
  return chart(
    beside
      ? "Accuracy of the routed network and of networks that decide nothing against their mean costs, with 95 % intervals."
      : "Accuracy of each exit against its share of the full cost, with 95 % intervals, and the routed network.",
    document,
    WIDTH,
    () => ({
      height: HEIGHT,
      marginLeft: 52,
      marginRight: 30,
      marginBottom: 42,
      insetTop: 10,
      x: {
        domain: [0, Math.max(1, ...exits.map(({ cost }) => cost))],
        label: "cost, share of the full network",
        labelAnchor: "center",
        labelArrow: "none",
        tickFormat: wholePercent,
        ticks: 5,
      },
      y: {
        domain: span([...exits, routed]),
        label: "accuracy",
        labelArrow: "none",
        tickFormat: wholePercent,
        ticks: 6,
      },
      marks: [
        gridX({ ticks: 5 }),
        gridY({ ticks: 6 }),
        ...(beside ? [] : [line(exits, { x: "cost", y: middle, stroke: CLEAN, strokeWidth: 1.5, strokeOpacity: 0.5 })]),
        ...places(exits, CLEAN, "circle"),
        ...places([routed], SERIES[0], "diamond"),
        text(beside ?? labelled(exits), {
          x: "cost",
          y: (d: Place) => (beside ? heightOf(d, beside) : d.accuracy.low),
          text: "name",
          ...(beside ? { dx: -9, textAnchor: "end" } : { dy: 11 }),
          fill: "currentColor",
          ...HALO,
        }),
        text([routed], {
          x: "cost",
          y: (d: Place) => d.accuracy.high,
          text: "name",
          dy: -9,
          fill: SERIES[0],
          fontWeight: 600,
          ...HALO,
        }),
      ],
    }),
  );
}

const middle = (place: Place): number => place.accuracy.value;

const places = (data: readonly Place[], colour: string, symbol: "circle" | "diamond") => [
  ruleX(data, {
    x: "cost",
    y1: (d: Place) => d.accuracy.low,
    y2: (d: Place) => d.accuracy.high,
    stroke: colour,
    strokeWidth: 2,
  }),
  dot(data, { x: "cost", y: middle, fill: colour, stroke: "var(--paper)", symbol, r: symbol === "circle" ? 5 : 6.5 }),
];

/** The range of all intervals, in tens of percent, with room for the labels. */
function span(all: readonly Place[]): [number, number] {
  const low = Math.min(...all.map((place) => place.accuracy.low));
  const high = Math.max(...all.map((place) => place.accuracy.high));
  return [Math.max(0, Math.floor(10 * low - 0.5) / 10), Math.min(1, Math.ceil(10 * high + 0.3) / 10)];
}

/** The height of a label beside its dot. Labels of dots that are close together are moved apart
 * upwards, by one line of text each. */
function heightOf(place: Place, all: readonly Place[]): number {
  const [low, high] = span([...all]);
  const line = (LINE / HEIGHT) * (high - low);
  const near = all.filter(({ cost }) => Math.abs(cost - place.cost) < LABEL_GAP);
  let height = Number.NEGATIVE_INFINITY;
  for (const one of near.sort((a, b) => middle(a) - middle(b))) {
    height = Math.max(middle(one), height + line);
    if (one === place) break;
  }
  return height;
}

/** The places whose labels fit. The last exit has precedence. */
function labelled(exits: readonly Place[]): Place[] {
  const kept: Place[] = [];
  for (const exit of [...exits].reverse())
    if (kept.every((other) => Math.abs(other.cost - exit.cost) >= LABEL_GAP)) kept.push(exit);
  return kept;
}
