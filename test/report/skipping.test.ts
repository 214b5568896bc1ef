/** @file What gates did, in words and pictures: no relation is said as such, doubt stands beside a number, long maps are folded. */
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { wilson } from "../../src/measures/wilson.js";
import { renderAudit } from "../../src/report/audit/page.js";
import { cleanSentences } from "../../src/report/audit/short.js";
import { baselineWords, bestFixed, relationWords, skippingWords } from "../../src/report/audit/skipping-words.js";
import type { AuditRecord } from "../../src/schema/audit-record.js";
import type { GateBaseline, SkippingRecord } from "../../src/schema/skipping.js";
import { record } from "./fixture.js";

const GATES = ["one", "two", "three"];
const beside = (kind: GateBaseline["kind"], right: number, p: number, gain: number): GateBaseline => ({
  ...{ kind, about: "made up", accuracy: wilson(right, 100), meanCostFraction: 0.5, onlyNetwork: 9, onlyBaseline: 4 },
  ...{ gain: { value: gain, low: gain - 0.04, high: gain + 0.04 }, p },
});

const skipping = (classes: number): SkippingRecord => ({
  executed: { counts: [0, 20, 60, 20], mean: 2, sd: 0.6, p95: 3 },
  byClass: Array.from({ length: classes }, (_, label) => ({
    ...{ label, samples: 10, openRates: [1, label / classes, null], meanBlocks: 1.5, meanCostFraction: 0.5 },
  })),
  ...{ pathEntropy: 1.5, dynamicShare: 1 / 3 },
  difficulty: [
    {
      ...{ reference: "all gates open", accuracy: wilson(60, 100) },
      margin: { value: 0.25, low: 0.05, high: 0.4 },
      crossEntropy: null,
      quarters: [0.4, 0.5, 0.5, 0.6].map((meanCostFraction) => ({ samples: 25, meanCostFraction, accuracy: 0.8 })),
    },
  ],
  answers: { right: 0.5, wrong: 0.55, difference: { value: 0.05, low: -0.01, high: 0.11 } },
  baselines: {
    ...{ samples: 100, accuracy: wilson(80, 100), meanCostFraction: 0.5, openRates: [1, 0.5, null] },
    validation: { name: "others", samples: 50 },
    compared: [
      { ...beside("fixed-blocks", 74, 0.27, 0.06), open: ["one"] },
      { ...beside("most-open-blocks", 78, 0.8, 0.02), open: [] },
      beside("static", 90, 0.01, -0.1),
    ],
  },
});

const gated = (classes = 4): AuditRecord => ({
  ...record,
  model: {
    ...record.model,
    exits: record.model.exits.slice(-1),
    gates: GATES.map((name) => ({ name, macs: 10, costFraction: 0.2, exit: "final" })),
  },
  clean: {
    ...record.clean,
    accuracyIntervals: [wilson(80, 100)],
    routed: {
      ...record.clean.routed,
      ...{ accuracy: 0.8, meanCostFraction: 0.5, exitCounts: [100], thresholds: [] },
      paths: { openRates: [1, 0.5, null], distinct: 4, costs: [{ costFraction: 0.5, samples: 100 }] },
    },
    skipping: skipping(classes),
  },
});
const wordsOf = (of: AuditRecord) => new Map(skippingWords(of));

describe("words", () => {
  it("name a relation by its size and sign, and say when there is none", () => {
    const relation = (value: number, half: number) => relationWords({ value, low: value - half, high: value + half });
    expect(relation(0.25, 0.1)).toBe("difficult samples cost weakly more (Spearman 0.25, 0.15 to 0.35)");
    expect(relation(-0.6, 0.1)).toBe("difficult samples cost strongly less (Spearman −0.60, −0.70 to −0.50)");
    expect(relation(0.05, 0.02)).toContain("negligibly more");
    expect(relation(0.4, 0.1)).toContain("moderately more");
    expect(relation(0.05, 0.1)).toBe("no relation shown (Spearman 0.05, −0.05 to 0.15)");
    expect(relationWords(null)).toContain("no relation, because");
  });

  it("doubt the difficulty of a reference that is less right than the routed network", () => {
    expect(wordsOf(gated()).get("difficulty, all gates open")).toMatch(
      /right on 60.0.% alone, less than routed.*says little/,
    );
    const good = gated();
    const [first] = good.clean.skipping?.difficulty ?? [];
    const difficulty = [{ ...first, accuracy: wilson(79, 100) }];
    const sure = { ...good, clean: { ...good.clean, skipping: { ...skipping(4), difficulty } } };
    expect(wordsOf(sure).get("difficulty, all gates open")).not.toContain("says little");
  });

  it("count the gates that decide, and say when none does", () => {
    expect(wordsOf(gated()).get("gates that decide")).toMatch(/^1 of 3 is open for 2.% to 98.%/);
    const { clean, ...rest } = gated();
    const paths = { openRates: [1, 0, null], distinct: 1, costs: [] };
    const still = { ...rest, clean: { ...clean, routed: { ...clean.routed, paths } } };
    expect(wordsOf(still).get("gates that decide")).toContain("None of 3 is");
    expect(wordsOf(still).get("paths")).toContain("1 different path,");
  });

  it("show no difference where the interval holds 0", () => {
    expect(wordsOf(gated()).get("right and wrong answers")).toContain("no difference shown (5.0 points, −1.0 to 11.0)");
  });

  it("say of a baseline who is ahead only where the test shows it", () => {
    expect(baselineWords(beside("static", 90, 0.01, -0.1))).toContain("the gates lose (−10.0 points");
    expect(baselineWords(beside("static", 70, 0.00001, 0.1))).toMatch(/the gates gain .*p below 0.0001/);
    expect(baselineWords(beside("static", 78, 0.8, 0.02))).toContain("no gain shown");
  });

  it("take the better fixed blocks for the summary", () => {
    expect(bestFixed(skipping(1).baselines?.compared ?? [])?.kind).toBe("most-open-blocks");
    expect(bestFixed([])).toBeUndefined();
    const short = cleanSentences(gated()).map(({ text }) => text.replace(/<[^>]*>/g, "").replaceAll("\u00a0", " "));
    expect(short[1]).toMatch(
      /^Closed gates save 50.0 %. With all gates open the network is right on 60.0 %.*gains 20.0 points of accuracy/,
    );
    expect(short[2]).toContain("Against the better fixed blocks of equal cost: 78.0 % right");
  });
});

describe("the section", () => {
  const page = (of: AuditRecord) => parseHTML(renderAudit(of)).document;

  it("has every baseline with its difference and test", () => {
    const tables = [...page(gated()).querySelectorAll("#blocks > .scroll table")];
    const rows = [...(tables.at(-1)?.querySelectorAll("tbody tr") ?? [])].map((row) =>
      [...row.children].map(({ textContent }) => textContent?.replaceAll("\u00a0", " ")),
    );
    expect(rows.map(([name]) => name)).toEqual([
      ...["resnet20-sdn", "fixed blocks, closed one by one", "fixed blocks, the most open", "static network"],
    ]);
    expect(rows[3].slice(2)).toEqual(["50.0 %", "−10.0 (−14.0 to −6.0)", "9", "4", "0.0100"]);
    expect(page(gated()).querySelector("#blocks")?.textContent).toContain("Open: one.");
  });

  it("folds the map of many classes, and no figure holds a number that is none", () => {
    expect(page(gated(31)).querySelector("#blocks details figure")).not.toBeNull();
    expect(page(gated(30)).querySelector("#blocks details figure")).toBeNull();
    expect(page(gated(31)).querySelector("#blocks")?.innerHTML).not.toMatch(/NaN|undefined/);
  });

  it("a record of an earlier release has no such section, and keeps its figure of exits", () => {
    const { clean, ...rest } = gated();
    const { skipping: _skipping, ...before } = clean;
    const old = page({ ...rest, clean: before });
    expect(old.querySelector("#blocks")).toBeNull();
    expect(old.querySelector("#exits figure")).not.toBeNull();
  });
});
