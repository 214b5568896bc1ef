import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { eec } from "../../src/measures/eec.js";
import { eecPlot } from "../../src/report/plots/eec.js";
import { exitsPlot } from "../../src/report/plots/exits.js";
import { histogramPlot } from "../../src/report/plots/histograms.js";
import { robustnessPlot } from "../../src/report/plots/robustness.js";
import { record } from "./fixture.js";

const { document } = parseHTML("<!doctype html><html></html>");
const { model, clean, attacks, curves } = record;
const costs = model.exits.map((exit) => exit.costFraction);
const names = model.exits.map((exit) => exit.name);
const slowdown = attacks[3];

/** Three decimals, so that a last bit never fails a snapshot; one element a line, so that a difference can be read. */
const normal = (svg: { readonly text: string }): string =>
  `${svg.text.replace(/-?\d+\.\d{4,}/g, (number) => String(Number(Number(number).toFixed(3)))).replaceAll("><", ">\n<")}\n`;

describe("plots look as they did", () => {
  it.each([
    ["exits", exitsPlot(record, document)],
    [
      "eec",
      eecPlot(slowdown.name, eec(clean.routed.exitCounts, costs), eec(slowdown.routed.exitCounts, costs), document),
    ],
    ["histogram", histogramPlot(slowdown.name, clean.routed.exitCounts, slowdown.routed.exitCounts, names, document)],
    ["robustness-linf", robustnessPlot("linf", curves.slice(0, 2), document)],
    ["robustness-l2", robustnessPlot("l2", curves.slice(2), document)],
  ])("%s", async (name, svg) => {
    await expect(normal(svg)).toMatchFileSnapshot(`snapshots/${name}.svg`);
  });
});

describe("the EEC plot", () => {
  it("draws the exact step: horizontal up to an exit's cost, then straight up", () => {
    const svg = parseHTML(eecPlot("x", eec([1, 1], [0.5, 1]), eec([0, 2], [0.5, 1]), document).text).document;
    const path =
      [...svg.querySelectorAll("path")].find((element) => element.closest("[stroke-dasharray]"))?.getAttribute("d") ??
      "";
    const xs = [...path.matchAll(/[ML]([\d.]+),([\d.]+)/g)].map((match) => match.slice(1, 3).map(Number));
    for (let i = 1; i < xs.length; i++) expect(xs[i][0] === xs[i - 1][0] || xs[i][1] === xs[i - 1][1]).toBe(true);
    expect(xs.length).toBeGreaterThanOrEqual(3);
  });
});

describe("plots stand odd input", () => {
  it("a curve of one point, twelve exits at nearly one cost, and no samples at all", () => {
    const point = { ...curves[0], points: curves[0].points.slice(0, 1) };
    expect(robustnessPlot("linf", [point], document).text).not.toMatch(/NaN|undefined/);
    const exits = Array.from({ length: 12 }, (_, i) => ({
      name: `a very long name of an exit ${i}`,
      macs: 1,
      costFraction: 0.9 + i / 110,
    }));
    const accuracyIntervals = exits.map(() => ({ value: 1, low: 0.98, high: 1 }));
    const crowded = exitsPlot(
      { ...record, model: { ...model, exits }, clean: { ...clean, accuracyIntervals } },
      document,
    );
    expect(crowded.text).not.toMatch(/NaN|undefined/);
    expect(crowded.text.match(/a very lo…/g)).toHaveLength(1);
    expect(histogramPlot("x", [0, 0], [0, 0], ["a", "b"], document).text).not.toMatch(/NaN|undefined/);
    expect(eecPlot("x", eec([0, 0], [0.5, 1]), eec([0, 0], [0.5, 1]), document).text).not.toMatch(/NaN|undefined/);
  });
});
