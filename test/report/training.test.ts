import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { curvesPlot, lineStyle } from "../../src/report/plots/training.js";
import { meanCost } from "../../src/report/training/gates.js";
import { renderTraining } from "../../src/report/training/page.js";
import type { EpochReport, TrainingRecord } from "../../src/schema/training.js";

/** A run whose exits learn at different speeds, by formula. */
const epoch = (at: number, exits: number): EpochReport => {
  const each = (of: (k: number) => number): number[] => Array.from({ length: exits }, (_, k) => of(k));
  return {
    epoch: at,
    step: 10 * (at + 1),
    learningRate: 0.1 * Math.sin((Math.PI * (at + 1)) / 11),
    loss: 4 / (at + 1),
    exitLosses: each((k) => 2 / (at + 1 + k)),
    trainAccuracy: each((k) => 1 - 0.8 / (at + 1 + k)),
    validationLosses: each((k) => 2.1 / (at + 1 + k)),
    validationAccuracy: each((k) => 1 - 0.9 / (at + 1 + k)),
    imagesPerSecond: 180.4,
    seconds: 61.5,
  };
};
const record = (epochs: number, exits: number): TrainingRecord => ({
  model: "resnet20",
  data: "cifar10:train",
  recipe: "joint",
  exits: Array.from({ length: exits }, (_, k) => (k === exits - 1 ? "final" : `exit${k}`)),
  planned: 10,
  epochs: Array.from({ length: epochs }, (_, i) => epoch(i, exits)),
  test: undefined,
  validationCount: 5000,
  settings: [
    ["config.epochs", "10"],
    ["data.train.name", "cifar10:train"],
  ],
});
const pageOf = (of: TrainingRecord) => parseHTML(renderTraining(of)).document;
const normal = (svg: string): string =>
  `${svg.replace(/-?\d+\.\d{4,}/g, (number) => String(Number(Number(number).toFixed(3)))).replaceAll("><", ">\n<")}\n`;

describe("the report of a training run", () => {
  it("shows every exit with the figures of the last epoch", () => {
    const rows = [...pageOf(record(3, 3)).querySelectorAll("#exits tbody tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent?.replaceAll("\u00a0", " ")),
    );
    expect(rows).toEqual([
      ["exit0", "0.667", "0.700", "73.3 %", "70.0 % (68.7–71.3)"],
      ["exit1", "0.500", "0.525", "80.0 %", "77.5 % (76.3–78.6)"],
      ["final", "0.400", "0.420", "84.0 %", "82.0 % (80.9–83.0)"],
    ]);
  });

  it("shows test accuracy when the run is finished", () => {
    const test = [{ right: 870, count: 1000 }];
    const page = pageOf({ ...record(10, 1), test });
    expect(page.querySelector("#exits tbody tr")?.textContent).toContain("87.0\u00a0%");
    expect(page.querySelector(".cards")?.textContent).toContain("test accuracy, final exit87.0\u00a0%1000 samples");
    expect(pageOf(record(10, 1)).querySelector(".cards")?.textContent).not.toContain("test");
  });

  it("draws accuracy, loss and learning rate, and a panel for each exit", () => {
    const page = pageOf(record(4, 3));
    const labels = [...page.querySelectorAll("svg[role=img]")].map((svg) => svg.getAttribute("aria-label"));
    expect(labels).toEqual([
      "Validation accuracy of each exit.",
      "Loss.",
      "Learning rate at the end of each epoch.",
      ...["exit0", "exit1", "final"].map(
        (name) => `Accuracy of ${name} on training and validation images after each epoch.`,
      ),
    ]);
  });

  it("is the same for the same record, and drawn in colours that light and dark share", () => {
    const text = renderTraining(record(4, 3));
    expect(renderTraining(record(4, 3))).toBe(text);
    expect(text).toContain("prefers-color-scheme: dark");
    expect(text).not.toMatch(/NaN|undefined|<script/);
    expect([...text.matchAll(/stroke="(#[^"]+)"/g)]).toEqual([]);
  });

  it("takes names for text, whatever they are", () => {
    const text = renderTraining({ ...record(1, 2), model: "<img src=x>", exits: ['"><script>', "b"] });
    expect(text).not.toMatch(/<script|<img src=x/);
  });
});

describe("curves", () => {
  const { document } = parseHTML("<!doctype html><html></html>");

  it("look as they did", async () => {
    const curves = record(8, 2).exits.map((name, k) => ({
      name,
      values: record(8, 2).epochs.map((e) => e.validationAccuracy[k]),
    }));
    const svg = curvesPlot(curves, { label: "Accuracy.", y: "accuracy", domain: [0, 1] }, document);
    await expect(normal(svg.text)).toMatchFileSnapshot("snapshots/training.svg");
  });

  it.each([1, 2, 7, 300])("of %i epochs have at most six whole numbers on the axis", (epochs) => {
    const values = Array.from({ length: epochs }, (_, i) => 1 / (i + 1));
    const { text } = curvesPlot([{ name: "a", values }], { label: "x", y: "loss" }, document);
    const ticks = [...parseHTML(text).document.querySelectorAll('[data-mark="x-axis tick label"] text')].map((t) =>
      Number(t.textContent),
    );
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.every((t) => Number.isInteger(t) && t >= 1 && t <= epochs)).toBe(true);
    expect(ticks[0]).toBe(1);
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it("of 25 exits all differ in colour or dash", () => {
    const styles = Array.from({ length: 25 }, (_, i) => JSON.stringify(lineStyle(i)));
    expect(new Set(styles).size).toBe(25);
  });
});

describe("the gates of a run", () => {
  const gates = [0.3, 0.2, 0.1].map((costFraction, k) => ({ name: `block${k}`, costFraction }));
  const withGates = (epochs: number): TrainingRecord => ({
    ...record(epochs, 1),
    gates,
    epochs: record(epochs, 1).epochs.map((one, i) => ({
      ...one,
      gateRates: [0.9, 0.8, 0.7],
      validationGateRates: [1, 0.5, i === epochs - 1 ? 0 : 1],
    })),
  });

  it("mean cost takes off what closed gates save, and the gates that decide are counted", () => {
    expect(meanCost(gates, [1, 0.5, 0])).toBeCloseTo(1 - 0.1 - 0.1, 12);
    const short = pageOf(withGates(4)).querySelector(".short")?.textContent?.replaceAll("\u00a0", " ");
    expect(short).toContain(
      "On validation samples the final exit costs 80.0 % of the full network on average. 1 of 3 gates decide",
    );
  });

  it("draws the cost of each epoch and a map of open rates, with the last epoch in it", () => {
    const page = pageOf(withGates(60));
    expect(page.querySelectorAll("#gates .chart")).toHaveLength(2);
    const map = page.querySelector("#gates .chart > .wide");
    const columns = [...(map?.querySelectorAll("text") ?? [])].map(({ textContent }) => textContent);
    expect(columns).toContain("60");
    expect(columns).toContain("block2");
    expect(map?.querySelectorAll("rect").length).toBeLessThanOrEqual(2 * 3 * 24);
  });

  it("a run without gates, and a record of before, has no such part", () => {
    expect(pageOf(record(3, 2)).querySelector("#gates")).toBeNull();
    expect(pageOf({ ...record(3, 2), gates }).querySelector("#gates")).toBeNull();
  });
});

describe("the settings of a training run", () => {
  it("are a table in words, and a setting without words of its own is named by its path", () => {
    const settings = [
      ["config.epochs", "10"],
      ["config.adversarial.radius", String(8 / 255)],
      ["config.optimizer.nesterov", "true"],
      ["config.ema", "null"],
      ["normalization.std", "0.2470322324, 0.5"],
      ["config.someThing.newAndOdd", "x"],
    ] as const;
    const rows = [...pageOf({ ...record(3, 2), settings }).querySelectorAll("#settings tbody tr")];
    expect(rows.map((row) => [...row.children].map((cell) => cell.textContent))).toEqual([
      ["epochs", "10"],
      ["attacked images: L∞ radius", "8/255"],
      ["Nesterov's momentum", "yes"],
      ["decay of the running average of weights", "none"],
      ["deviation that divides, per channel", "0.247032, 0.5"],
      ["some thing: new and odd", "x"],
    ]);
  });
});
