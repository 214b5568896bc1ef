import { parseHTML } from "linkedom/worker";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { heatMapPlot } from "../../src/report/plots/heat-map.js";
import { linesPlot } from "../../src/report/plots/lines.js";
import { scatterPlot } from "../../src/report/plots/scatter.js";
import { stripsPlot } from "../../src/report/plots/strips.js";
import { logTicks } from "../../src/report/plots/ticks.js";
import { escapeLatex } from "../../src/report/shared/latex.js";
import { studyFigures } from "../../src/report/study/figures.js";
import { studyTable } from "../../src/report/study/latex.js";
import { distinct } from "../../src/report/study/names.js";
import * as words from "../../src/report/study/words.js";
import type { StudyRecord } from "../../src/schema/study/record.js";
import { sparseStudyRecord, studyRecord } from "../support/study-record.js";

const { document } = parseHTML("<!doctype html><html></html>");
const record = studyRecord();
const figures = studyFigures(record);
/** The wide drawing of a chart, or a document of its own. */
const drawn = (svg: { readonly text: string; readonly wide?: { readonly text: string } }): Document =>
  parseHTML(`<body>${(svg.wide ?? svg).text}</body>`).document;
const numbers = (text: string | null | undefined): number[] => (text?.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
const series = [
  { name: "one", colour: "var(--series-1)", dash: "none", symbol: "circle" },
  { name: "two", colour: "var(--series-2)", dash: "none", symbol: "diamond" },
] as const;

describe("figures as files", () => {
  it("hold every figure of the page under a plain name", () => {
    const names = [...figures.keys()];
    expect(names.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `forest-c${i}`).concat("robustness"));
    for (const part of [
      "transfer-asymmetry",
      "transfer-cifar10-pgd-4-255",
      "yield-resnet20-cifar10",
      "cost",
      "early-dependency",
    ])
      expect(names).toContain(part);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(studyFigures(sparseStudyRecord()).size).toBe(0);
  });

  it("are SVG documents that a strict reader takes, without variables of a page", async () => {
    for (const [name, svg] of figures) {
      expect(svg.match(/var\(--[\w-]+\)/g), name).toBeNull();
      const { format, width } = await sharp(Buffer.from(svg)).metadata();
      expect([name, format, width > 200]).toEqual([name, "svg", true]);
    }
  });

  it("carry their key, in a drawing that is high enough for it", () => {
    const svg = figures.get("cost") ?? "";
    const page = drawn({ text: svg });
    const [whole, plot] = [...page.querySelectorAll("svg")].map((s) => Number(s.getAttribute("height")));
    expect(whole - plot).toBeGreaterThanOrEqual(5 * 18);
    expect(svg).toContain("slowdown (positive control)");
  });

  it("get a number where names differ in signs only, and take hostile names for text", async () => {
    const evil = "<script>&\"'";
    const blocks = record.blocks.map((block, i) => ({ ...block, cell: i < 2 ? `a/b${evil}` : `a.b${evil}` }));
    const odd = studyFigures({ ...record, blocks });
    expect([...odd.keys()].filter((name) => name.startsWith("yield"))).toEqual([
      "yield-a-b-script",
      "yield-a-b-script-2",
    ]);
    for (const svg of odd.values()) expect(/<script/.test(svg)).toBe(false);
    await expect(sharp(Buffer.from(odd.get("yield-a-b-script") ?? "")).metadata()).resolves.toHaveProperty(
      "format",
      "svg",
    );
  });
});

describe("the LaTeX table", () => {
  it("has a row per claim", async () => {
    await expect(studyTable(record)).toMatchFileSnapshot("snapshots/study-verdicts.tex");
  });

  it("has the effects of transfer at the primary radius, with intervals", () => {
    const text = studyTable(record);
    const [, effects = ""] = text.split("% transfer");
    const rows = effects.split("\n").filter((line) => / & .*\\\\$/.test(line));
    const shown = record.questions.transfer.overall.filter(({ radius }) => words.isPrimary(record, radius));
    expect(rows).toHaveLength(1 + shown.length);
    for (const { attack, asymmetry } of shown)
      expect(
        rows.some((row) => row.startsWith(attack) && row.includes(escapeLatex(words.effect(asymmetry, "share")))),
      ).toBe(true);
    const none = { ...record.questions, transfer: { matrices: [], effects: [], overall: [] } };
    expect(studyTable({ ...record, questions: none })).not.toContain("% transfer");
  });

  it("holds no command that a name brings", () => {
    const evil = `${String.raw`\input{/etc/passwd} 5% of $x_1^2$ & #3 ~ <a> | "q"`}\nnext`;
    const text = studyTable({ ...record, name: evil, verdicts: record.verdicts.map((v) => ({ ...v, unit: evil })) });
    expect(text).not.toContain(String.raw`\input`);
    expect(text.split("\n")).toHaveLength(studyTable(record).split("\n").length);
    expect(escapeLatex(String.raw`a_b \& 1% {x} ~^#$`)).toBe(
      String.raw`a\_b \textbackslash{}\& 1\% \{x\} \textasciitilde{}\textasciicircum{}\#\$`,
    );
  });

  it("says in its comment that the plan was edited", () => {
    expect(studyTable({ ...record, plan: { ...record.plan, edited: true } }).split("\n")[0]).toMatch(/^% .*edited/);
    expect(studyTable(record)).not.toContain("edited");
  });
});

describe("how numbers are written", () => {
  const bounds = (value: number, half: number) => ({ value, low: value - half, high: value + half });
  const plainly = (text: string): string => text.replaceAll("\u00a0", " ");

  it("by the scale of their claim", () => {
    expect(plainly(words.effect(bounds(0.031, 0.04), "share"))).toBe("3.1 points (−0.9 to 7.1)");
    expect(plainly(words.effect(bounds(Math.log(1.2), Math.log(1.5)), "logarithm"))).toBe("1.20× (0.80 to 1.80)");
    expect(plainly(words.effect(bounds(0.123456, 1), "plain"))).toBe("0.123 (−0.877 to 1.12)");
    expect(words.effect(null, "share")).toBe("–");
    expect(plainly(words.effect({ value: 0.02, low: null, high: null }, "share"))).toBe("2.0 points");
    expect(plainly(words.points(-0.0001))).toBe("0.0 points");
  });

  it("probabilities with three decimals, never as 0", () => {
    expect([0.0412, 0.00049, 0.0006, 1, null].map((p) => plainly(words.probability(p)))).toEqual([
      ...["0.041", "< 0.001", "< 0.001", "1.000", "–"],
    ]);
  });

  it("names without what all have in common, unless they would then be the same", () => {
    expect(distinct(["a-x-s1", "b-x-s1", "b-x-s2"])).toEqual(["a-s1", "b-s1", "b-s2"]);
    expect(distinct(["a-b", "b-a"])).toEqual(["a-b", "b-a"]);
    expect(distinct(["a"])).toEqual(["a"]);
    expect(distinct([])).toEqual([]);
  });

  it("ticks at round numbers, at least three where there is room", () => {
    expect(logTicks(0.05, 1)).toEqual([0.05, 0.1, 0.2, 0.5, 1]);
    expect(logTicks(0.9, 2.2)).toEqual([1, 1.5, 2]);
    expect(logTicks(1.02, 1.03)).toEqual([]);
  });
});

describe("strips", () => {
  const dots = [
    { row: 0, series: 0, value: 1, low: 0, high: 2 },
    { row: 1, series: 1, value: 4, low: null, high: null },
  ];
  const x = { label: "effect", tickFormat: String };
  const page = drawn(
    stripsPlot({ label: "x", rows: ["a", "b"], dots, series, x, region: [-1, 3], limit: 3 }, document),
  );
  const scaleOf = (): ((value: number) => number) => {
    const [zero, one] = ["0", "1"].map((tick) => {
      const label = [...page.querySelectorAll("[data-mark='x-axis tick label'] text")].find(
        (t) => t.textContent === tick,
      );
      return numbers(label?.getAttribute("transform"))[0];
    });
    return (value) => zero + value * (one - zero);
  };

  it("draw dots, intervals, the shaded region and the limit where the axis says", () => {
    const at = scaleOf();
    const places = [...page.querySelectorAll("[data-mark=dot] > *")].map(
      (d) => numbers(d.getAttribute("transform"))[0] ?? Number(d.getAttribute("cx")),
    );
    expect(places.map(Math.round)).toEqual([at(1), at(4)].map(Math.round));
    const rect = page.querySelector("[data-mark=rect] rect");
    expect(Number(rect?.getAttribute("x"))).toBeCloseTo(at(-1), 1);
    expect(Number(rect?.getAttribute("width"))).toBeCloseTo(at(3) - at(-1), 1);
    const lines = [...page.querySelectorAll("[data-mark=rule] line")].map((l) =>
      [l.getAttribute("x1"), l.getAttribute("x2")].map(Number),
    );
    const near = (a: number, b: number) => lines.some(([x1, x2]) => Math.abs(x1 - a) < 0.05 && Math.abs(x2 - b) < 0.05);
    expect([near(at(0), at(2)), near(at(3), at(3)), near(at(4), at(4))].slice(0, 2)).toEqual([true, true]);
  });

  it("of many dots stay low enough for a page", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ row: 0, series: 0, value: i, low: i - 1, high: i + 1 }));
    const height = (of: typeof many) =>
      Number(
        drawn(stripsPlot({ label: "x", rows: ["a"], dots: of, series, x }, document))
          .querySelector("svg")
          ?.getAttribute("height"),
      );
    expect(height(many)).toBeLessThanOrEqual(152);
  });
});

describe("heat maps", () => {
  const map = (size: number): Document => {
    const names = Array.from({ length: size }, (_, i) => `n${i}`);
    const cells = names.flatMap((_, row) =>
      names.map((_, column) => ({
        row,
        column,
        value: row === 0 && column === 1 ? null : 0.5,
        sign: row === column ? "●" : "",
      })),
    );
    return drawn(
      heatMapPlot({ label: "x", rows: names, columns: names, cells, axes: { rows: "r", columns: "c" } }, document),
    );
  };
  const words_ = (page: Document): string[] =>
    [...page.querySelectorAll("[data-mark=text] text")].map((t) => t.textContent ?? "");

  it("have numbers and signs in their cells while they are small, then signs only", () => {
    expect(words_(map(2))).toEqual(["50 ●", "–", "50", "50 ●"]);
    expect(new Set(words_(map(13)))).toEqual(new Set(["●", "–"]));
  });

  it("are the stronger, the larger the share, without a scale of their own", () => {
    const opacities = [...map(2).querySelectorAll("[data-mark=cell] rect[fill-opacity]")].map((r) =>
      Number(r.getAttribute("fill-opacity")),
    );
    expect(opacities).toEqual([0.31, 0, 0.31, 0.31]);
  });
});

describe("plots stand odd input", () => {
  it("one point, equal points, points at 0", () => {
    const [x, y] = [
      { label: "x", tickFormat: String },
      { label: "y", tickFormat: String },
    ];
    const line = { colour: "var(--series-1)", dash: "none", points: [{ x: 0.3, y: 0.5 }] };
    const plots = [
      linesPlot({ label: "l", lines: [line], x: { ...x, logarithmic: true }, y: "y" }, document),
      linesPlot({ label: "l", lines: [{ ...line, points: [{ x: 0, y: 1 }] }], x, y: "y", steps: true }, document),
      scatterPlot({ label: "l", dots: [{ x: 1, y: 2, series: 0 }], series, x, y }, document),
      stripsPlot(
        { label: "l", rows: ["a"], dots: [{ row: 0, series: 0, value: 0, low: 0, high: 0 }], series, x },
        document,
      ),
    ];
    for (const plot of plots) expect(/NaN|undefined|Infinity/.test(plot.text)).toBe(false);
  });

  it("a kinship without a rate, and a claim without any cell", () => {
    const [matrix] = record.questions.transfer.matrices;
    const none: StudyRecord = {
      ...record,
      cells: record.cells.filter(({ claim }) => claim !== "C2"),
      questions: {
        ...record.questions,
        transfer: {
          matrices: [{ ...matrix, success: matrix.success.map((row) => row.map(() => null)) }],
          effects: [],
          overall: [],
        },
      },
    };
    const names = [...studyFigures(none).keys()];
    expect(names).not.toContain("forest-c2");
    expect(names.filter((name) => name.startsWith("transfer"))).toEqual(["transfer-cifar10-pgd-4-255"]);
  });
});
