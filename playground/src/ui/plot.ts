/** @file The curve of accuracy over mean cost. Loaded only when it is drawn. */
import { axisX, axisY, dot, line, plot, ruleY } from "@observablehq/plot";
import type { CurvePoint, Survey } from "../shared/messages.js";

/** The curve of one threshold for all exits, and where the page stands. */
export function plotCurve(points: readonly CurvePoint[], survey: Survey | undefined): HTMLElement | SVGElement {
  const curve = [...points].sort((a, b) => a.cost - b.cost);
  const here = survey ? [{ cost: survey.cost, accuracy: survey.right / survey.count }] : [];
  const full = survey ? [survey.fullRight / survey.count] : [];
  return plot({
    ariaLabel: "Accuracy over mean cost",
    ariaDescription: "A curve with one threshold for all exits, and the point of the thresholds that are set.",
    width: 460,
    height: 280,
    marginLeft: 46,
    marginBottom: 40,
    x: { domain: [0, 1] },
    y: { domain: [Math.min(0.5, ...curve.map(({ accuracy }) => accuracy)), 1], grid: true },
    marks: [
      axisX({ label: "mean share of the full cost", tickFormat: "%", ticks: 5 }),
      axisY({ label: "right", tickFormat: "%", ticks: 5 }),
      ruleY(full, { stroke: "currentColor", strokeDasharray: "3,4", strokeOpacity: 0.6 }),
      line(curve, { x: "cost", y: "accuracy", stroke: "var(--accent)", strokeWidth: 2.5 }),
      dot(here, { x: "cost", y: "accuracy", r: 7, fill: "var(--hot)", stroke: "var(--card)", strokeWidth: 2 }),
    ],
  });
}
