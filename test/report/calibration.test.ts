import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { calibrationSummary, calibrationTables } from "../../src/cli/calibrate/tables.js";
import { wilson } from "../../src/measures/wilson.js";
import { renderCalibration } from "../../src/report/calibration/page.js";
import { paretoPlot } from "../../src/report/plots/pareto.js";
import type { CalibrationPoint, CalibrationRecord } from "../../src/schema/calibration-record.js";
import { calibrationRecordSchema } from "../../src/schema/calibration-record.js";
import { steadinessOf } from "../../src/schema/steadiness.js";

const rate = (right: number) => wilson(right, 200);
const mean = (value: number) => ({ value, low: value - 0.03, high: value + 0.03 });
const point = (cost: number, right: number): CalibrationPoint => ({
  thresholds: [cost, cost],
  validation: { accuracy: rate(right), cost },
  test: { accuracy: rate(right - 4), cost: cost + 0.01 },
});
const onSplit = (right: number, scaled: boolean) => ({
  accuracy: rate(right),
  plain: { nll: 0.6, ece: 0.08 },
  ...(scaled ? { scaled: { nll: 0.5, ece: 0.02 } } : {}),
});
const outcome = (right: number, cost: number) => ({
  samples: 200,
  accuracy: rate(right),
  meanCostFraction: mean(cost),
  exitCounts: [100, 60, 40],
});

const record: CalibrationRecord = calibrationRecordSchema.parse({
  schemaVersion: 1,
  tool: { name: "dynn", version: "1" },
  model: { name: "net", parameters: 1000, classes: 10 },
  data: { test: { name: "cifar", samples: 200 }, validation: { name: "cifar#validation", samples: 200 }, seed: 0 },
  target: { kind: "rad", loss: 0.05 },
  thresholdKind: "per-exit",
  costUnit: "share",
  policy: { rule: "max-softmax", thresholds: [0.9, 0.7], fallback: "final", temperatures: [2, 1.5, 1.1] },
  exits: ["a", "b", "final"].map((name, k) => ({
    name,
    macs: 100 * (k + 1),
    costFraction: (k + 1) / 3,
    temperature: [2, 1.5, 1.1][k],
    validation: onSplit(130 + 20 * k, true),
    test: onSplit(128 + 20 * k, true),
  })),
  validation: outcome(168, 0.5),
  test: outcome(162, 0.52),
  curves: {
    uniform: [point(0.34, 130), point(0.55, 160), point(0.8, 172)],
    perExit: [point(0.34, 130), point(0.5, 168), point(0.7, 173)],
  },
  seconds: 3,
});
const pageOf = (of: CalibrationRecord) => parseHTML(renderCalibration(of)).document;
const text = (found: { readonly textContent: string | null } | null) => found?.textContent?.replaceAll("\u00a0", " ");
const normal = (svg: string): string =>
  `${svg.replace(/-?\d+\.\d{4,}/g, (number) => String(Number(Number(number).toFixed(3)))).replaceAll("><", ">\n<")}\n`;

describe("the report of a calibration", () => {
  it("opens with the figures of the test records", () => {
    const cards = [...pageOf(record).querySelectorAll(".card")].map(text);
    expect(cards[0]).toContain("accuracy, test81.0 %");
    expect(cards[1]).toContain("final exit alone84.0 %");
    expect(cards[2]).toContain("mean cost, test52.0 %saves 48.0 %");
    expect(cards).toHaveLength(3);
  });

  it("gives the verdict first, and says whether the target holds on the test records", () => {
    const lost = { value: 0.03, low: 0.01, high: 0.052 };
    const speedUp = { median: 1.8, low: 1.7, high: 1.9 };
    const judged = calibrationRecordSchema.parse({
      ...record,
      test: { ...record.test, lost },
      speeds: {
        images: 64,
        rounds: 3,
        batches: [1, 64].map((batch) => ({ batch, speedUp, msPerImage: { median: 2, low: 1, high: 3 } })),
      },
    });
    const said =
      "At batch 1: 1.8x as fast (1.7-1.9), 3.0 points less accurate (95 %: 1.0 to 5.2). At batch 64: 1.8x as fast (1.7-1.9).";
    const asked =
      "On 200 samples: 48.0 % less work (45.0-51.0) than the full network. Asked for: the cheapest that keeps 95 % of the final exit's accuracy. This holds on the test records, but the interval also allows a little more than was asked.";
    expect([...pageOf(judged).querySelectorAll("#summary li")].map(text)).toEqual([said, asked]);
    expect(calibrationSummary(judged).split("\n").slice(2, 4)).toEqual([said, asked]);
    expect(calibrationTables(judged)).toContain(said);
    const worse = { ...judged, test: { ...judged.test, lost: { value: 0.08, low: 0.05, high: 0.1 } } };
    expect(calibrationSummary(worse)).toContain("This does NOT hold on the test records.");
    expect(calibrationSummary(worse)).toContain("--target keep:97%");
    expect(calibrationSummary(record)).toContain("48.0 % less work (45.0-51.0). Times were not measured.");
  });

  it("shows threshold, temperature and calibration error of every exit, before and after", () => {
    const rows = [...pageOf(record).querySelectorAll("#exits tbody tr")].map((row) => [...row.children].map(text));
    expect(rows[0]?.slice(4)).toEqual(["0.9", "2", "8.0 % → 2.0 %"]);
    expect(rows[2]?.slice(4)).toEqual(["–", "1.1", "8.0 % → 2.0 %"]);
  });

  it("has times where they were measured, and the bound where there was an attack", () => {
    const timed = { ...mean(1.5) };
    const attacked = { samples: 50, accuracy: rate(20), meanCost: mean(0.7) };
    const page = pageOf({
      ...record,
      target: { kind: "latency", milliseconds: 2 },
      costUnit: "milliseconds",
      exits: record.exits.map((e, k) => ({ ...e, milliseconds: k + 1 })),
      validation: { ...record.validation, meanMilliseconds: timed },
      test: { ...record.test, meanMilliseconds: timed },
      worstCase: {
        ...{
          attack: "slowdown",
          objective: "slowdown",
          norm: "linf",
          radius: 8 / 255,
          maxCost: 0.6,
          minAccuracy: 0.5,
          rounds: 4,
        },
        ...{ held: false, validation: attacked, test: attacked },
      },
    });
    expect(text(page.querySelector(".cards"))).toContain("mean time, test1.5 ms");
    expect(text(page.querySelector(".cards"))).toContain("mean cost under attack, test70.0 %slowdown; at most 60.0 %");
    expect(text(page.querySelector("#attack"))).toContain("The bounds do not hold");
    expect(text(page.querySelector("#settings"))).toContain("the most accurate at a mean time of at most 2 ms");
    expect(page.querySelector("#curve")?.textContent).toContain("mean time per sample, ms");
  });

  it("says beside its numbers when the machine was busy, and so do the tables", () => {
    const said = "slow rounds took 2.4 times as long as fast ones. These times are not to be trusted.";
    const busy = calibrationRecordSchema.parse({ ...record, steadiness: steadinessOf(2.4) });
    expect(text(pageOf(busy).querySelector("header"))).toContain(said);
    expect(calibrationTables(busy)).toContain(said);
    expect(text(pageOf(record).querySelector("header")) + calibrationTables(record)).not.toContain("trusted");
  });

  it("is the same for the same record, in colours that light and dark share, and takes names for text", () => {
    const page = renderCalibration({ ...record, model: { ...record.model, name: "<img src=x>" } });
    expect(renderCalibration({ ...record, model: { ...record.model, name: "<img src=x>" } })).toBe(page);
    expect(page).not.toMatch(/NaN|undefined|<script|<img src=x/);
    expect([...page.matchAll(/stroke="(#[^"]+)"/g)]).toEqual([]);
  });
});

describe("the accuracy-cost plot", () => {
  const { document } = parseHTML("<!doctype html><html></html>");

  it("looks as it did", async () => {
    await expect(normal(paretoPlot(record, document).text)).toMatchFileSnapshot("snapshots/pareto.svg");
  });

  it("stands a curve of one point and no thresholds per exit", () => {
    const one = { ...record, curves: { uniform: [point(1, 200)], perExit: [] } };
    expect(paretoPlot(one, document).text).not.toMatch(/NaN|undefined/);
    expect(renderCalibration(one)).not.toContain("a threshold per exit</li>");
  });
});
