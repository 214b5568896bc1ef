/** @file The results of an audit as tables for papers. */
import { describe, expect, test } from "vitest";
import { resultsTable } from "../../src/report/audit/results.js";
import { type AuditRecord, auditRecordSchema } from "../../src/schema/audit-record.js";
import { record, staticRecord } from "./fixture.js";

const spread = (mean: number) => ({
  mean,
  deviation: 0.011,
  low: mean - 0.02,
  high: mean + 0.02,
  values: [mean, mean],
});
const made: AuditRecord = auditRecordSchema.parse({
  ...record,
  attacks: record.attacks.map((attack, i) => ({
    ...attack,
    ...(i === 1 ? { parameters: { steps: 20, restarts: 3 } } : {}),
    seeds: {
      ...{ seeds: [7, 8], seconds: 9 },
      ...{ robustAccuracy: spread(0.31), successRate: spread(0.6), success8bit: spread(0.6) },
      ...{ routedAccuracy: spread(0.3), meanCostFraction: spread(0.5) },
    },
  })),
  worstCase: [
    {
      ...{ norm: "linf", radius: 8 / 255, attacks: ["pgd-linf"] },
      answers: ["routed", "exit0", "final"].map((answer, k) => ({
        answer,
        standing: 12 + k,
        robustAccuracy: { value: (12 + k) / 256, low: 0.02, high: 0.08 },
      })),
    },
  ],
});

describe("the table in CSV", () => {
  const [head, ...lines] = resultsTable(made, { form: "csv" }).trimEnd().split("\n");
  const names = head.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i], cell])));

  test("holds the numbers of the record, unrounded", () => {
    for (const attack of made.attacks) {
      const row = rows.find((one) => one.attack === attack.name);
      expect(row).toMatchObject({ norm: attack.norm, answer: attack.answer, samples: String(attack.samples) });
      for (const [cell, value] of [
        ["robustAccuracy", attack.robustAccuracy.value],
        ["low", attack.robustAccuracy.low],
        ["high", attack.robustAccuracy.high],
        ["successRate", attack.successRate.value],
        ["seedsMean", attack.seeds?.robustAccuracy.mean],
        ["seedsDeviation", attack.seeds?.robustAccuracy.deviation],
        ["seedsHigh", attack.seeds?.robustAccuracy.high],
      ] as const)
        expect(Number(row?.[cell])).toBe(value);
      expect(row?.radius).toBe(attack.radius === null ? "" : String(attack.radius));
    }
    const pgd = rows.find((one) => one.attack === "pgd-linf");
    expect([pgd?.steps, pgd?.restarts]).toEqual(["20", "3"]);
  });

  test("has a row per clean answer, attack, and judged answer of the worst case", () => {
    expect(rows.map(({ attack, answer }) => [attack, answer])).toEqual([
      ["none (clean)", "routed"],
      ["none (clean)", "final"],
      ...made.attacks.map(({ name, answer }) => [name, answer]),
      ["worst case", "routed"],
      ["worst case", "final"],
    ]);
  });

  test("puts quotes around a name with a comma", () => {
    const [first, ...rest] = made.attacks;
    const named = { ...made, attacks: [{ ...first, name: 'a,"b' }, ...rest] };
    expect(resultsTable(named, { form: "csv" })).toContain('\n"a,""b",misclassify:final,');
  });
});

describe("the tables for people", () => {
  test("in Markdown have radius, steps, restarts, n and interval", () => {
    const lines = resultsTable(made, { form: "md" }).trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^resnet20-sdn on cifar10 sample, 256 samples, seed 7; dynn 0\.1\.0\. .*95 % Wilson intervals\.$/,
    );
    expect(lines[2]).toBe(
      "| attack | norm | radius | steps | restarts | judged | n | robust accuracy, % | 95 % interval | success, % | 95 % interval | mean cost, % | mean ± sd of 2 seeds, % | 95 % interval of the mean |",
    );
    expect(lines).toContain(
      "| pgd-linf | L∞ | 1/255 | 20 | 3 | final | 256 | 24.6 | 19.7–30.2 | 71.1 | 64.8–76.7 | 64.9 | 31.0 ± 1.10 | 29.0–33.0 |",
    );
    expect(lines).toContain("| worst case | L∞ | 8/255 |  |  | routed | 256 | 4.7 | 2.0–8.0 |  |  |  |  |  |");
    const cells = lines.slice(2).map((line) => line.split("|").length);
    expect(new Set(cells).size).toBe(1);
  });

  test("in LaTeX have as many cells in each row as columns, and no sign that LaTeX reads as a command", () => {
    const text = resultsTable(made, { form: "tex" });
    expect(text).toMatch(/^% resnet20-sdn on cifar10 sample/);
    const [, columns] = /\\begin\{tabular\}\{([lr]+)\}/.exec(text) ?? [];
    const rows = text.split("\n").filter((line) => line.endsWith("\\\\"));
    for (const row of rows) expect(row.split(" & ")).toHaveLength(columns?.length ?? 0);
    expect(rows).toHaveLength(1 + 2 + made.attacks.length + 2);
    expect(text).toContain("pgd-linf & L$\\infty$ & 1/255 & 20 & 3 & final & 256 & 24.6 & 19.7--30.2 &");
    expect(text.replace(/^%.*$/m, "")).not.toMatch(/(?<!\\)[%_#]/);
  });

  test("have no columns of cost and seeds where there are none", () => {
    const [, , head] = resultsTable(staticRecord, { form: "md" }).split("\n");
    expect(head).not.toMatch(/cost|seeds/);
    expect(resultsTable(staticRecord, { form: "md" })).not.toContain("routed");
  });
});
