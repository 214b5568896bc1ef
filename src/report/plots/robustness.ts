/** @file Robust accuracy against radius, one line per curve with its 95 % band. All curves share
 *  one norm, because radii of two norms do not compare. */
import { areaY, dot, gridX, gridY, lineY } from "@observablehq/plot";
import type { CurveRecord } from "../../schema/audit-record.js";
import { NORM_NAMES, type Norm, radius, wholePercent } from "../shared/format.js";
import { type Chart, chart, DASHES, SERIES } from "./svg.js";

type CurvePoint = CurveRecord["points"][number];

const [WIDTH, HEIGHT] = [400, 270];

/** @param curves at least one, all of norm `norm` */
export function robustnessPlot(norm: Norm, curves: readonly CurveRecord[], document: Document): Chart {
  return chart(`Robust accuracy against ${NORM_NAMES[norm]} radius, with 95 % intervals.`, document, WIDTH, () => ({
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 26,
    marginBottom: 42,
    insetTop: 10,
    x: {
      ticks: ticksOf(curves),
      tickFormat: (r: number) => (r === 0 ? "0" : radius(norm, r)),
      label: `${NORM_NAMES[norm]} radius`,
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: { domain: [0, 1], label: "robust accuracy", labelArrow: "none", tickFormat: wholePercent, ticks: 5 },
    marks: [
      gridX(ticksOf(curves), { strokeOpacity: 0.1 }),
      gridY({ ticks: 5 }),
      ...curves.flatMap((curve, i) => curveMarks(curve, i)),
    ],
  }));
}

function curveMarks(curve: CurveRecord, index: number) {
  const colour = SERIES[index % SERIES.length];
  const x = (p: CurvePoint) => p.radius;
  const y = (p: CurvePoint) => p.robustAccuracy.value;
  const band = { y1: (p: CurvePoint) => p.robustAccuracy.low, y2: (p: CurvePoint) => p.robustAccuracy.high };
  return [
    areaY(curve.points, { x, ...band, fill: colour, fillOpacity: 0.15 }),
    lineY(curve.points, { x, y, stroke: colour, strokeWidth: 2, strokeDasharray: DASHES[index % DASHES.length] }),
    dot(curve.points, { x, y, fill: colour, r: 3 }),
  ];
}

/** The measured radii that are far enough apart for their labels, from the smallest on. */
function ticksOf(curves: readonly CurveRecord[]): number[] {
  const radii = [...new Set(curves.flatMap((curve) => curve.points.map((p) => p.radius)))].sort((a, b) => a - b);
  const gap = radii[radii.length - 1] / 7;
  const kept: number[] = [];
  for (const r of radii) if (kept.length === 0 || r - kept[kept.length - 1] >= gap) kept.push(r);
  return kept;
}
