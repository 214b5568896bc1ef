/** @file Charts for narrow pages: wide ones are drawn a second time, and the page shows one of the two. */
import { parseHTML } from "linkedom/worker";
import { describe, expect, it } from "vitest";
import { heatMapPlot } from "../../src/report/plots/heat-map.js";
import { stripsPlot } from "../../src/report/plots/strips.js";
import { BELOW, chart, NARROW } from "../../src/report/plots/svg.js";
import { STYLE } from "../../src/report/shared/style.js";

const { document } = parseHTML("<!doctype html><html></html>");
const read = (text: string): Document => parseHTML(`<body>${text}</body>`).document;
const widthOf = (of: Element | null): number => Number(of?.getAttribute("width"));
const drawn = (width: number) => chart("words", document, width, (w) => ({ width: w, height: 50, marks: [] }));

describe("a chart", () => {
  it("that is legible on a phone is drawn once", () => {
    expect(read(drawn(400).text).querySelectorAll("svg")).toHaveLength(1);
  });

  it("that is wider is drawn for its width and for a phone, and the page shows one", () => {
    const page = read(drawn(640).text);
    expect(widthOf(page.querySelector(".wide svg"))).toBe(640);
    expect(widthOf(page.querySelector(".narrow svg"))).toBe(NARROW);
    const [, below] = /below-(\d+)/.exec(page.querySelector(".chart")?.className ?? "") ?? [];
    expect(Number(below) * 16).toBeGreaterThanOrEqual(0.88 * 640);
    expect(STYLE.text).toContain(`.below-${below} > .narrow { display: block; }`);
    expect(STYLE.text).toContain(".chart > .narrow { display: none;");
  });

  it("has words on both drawings, and no label inside them", () => {
    const page = read(drawn(640).text);
    expect([...page.querySelectorAll("svg")].map((svg) => svg.getAttribute("aria-label"))).toEqual(["words", "words"]);
    expect(page.querySelectorAll("svg [aria-label]")).toHaveLength(0);
  });

  it("is replaced before it gets too small to read, at every width", () => {
    for (let width = 401; width <= 1100; width += 33) {
      const below = Number(/below-(\d+)/.exec(drawn(width).text)?.[1]);
      expect(BELOW).toContain(below);
      expect((below * 16) / width).toBeGreaterThanOrEqual(0.88);
    }
  });
});

describe("a narrow heat map", () => {
  const map = (rows: readonly string[], columns: readonly string[]) =>
    read(
      heatMapPlot(
        {
          ...{ label: "l", rows, columns, axes: { rows: "surrogate", columns: "target" } },
          cells: rows.flatMap((_, row) => columns.map((_, column) => ({ row, column, value: 0.5, sign: "●" }))),
        },
        document,
      ).text,
    ).querySelector(".narrow");
  const ticks = (of: Element | null, axis: string): string[] =>
    [...(of?.querySelectorAll(`[data-mark="${axis}-axis tick label"] text`) ?? [])].map((t) => t.textContent ?? "");

  it("has numbers for long names and lists them, and is no wider than a phone", () => {
    const names = ["resnet20-cifar10-joint", "resnet20-cifar10-static", "vgg16-w0.25-cifar10-joint-s1"];
    const narrow = map([...names, "one-more-network-of-a-long-name"], names);
    expect(ticks(narrow, "x")).toEqual(["1", "2", "3"]);
    expect(ticks(narrow, "y")).toEqual(["1", "2", "3", "4"]);
    expect([...(narrow?.querySelectorAll("li") ?? [])].map((li) => li.textContent)).toEqual([
      ...names,
      "one-more-network-of-a-long-name",
    ]);
    expect(widthOf(narrow?.querySelector("svg") ?? null)).toBe(NARROW);
  });

  it("keeps short names, and leaves out columns that would touch", () => {
    const epochs = Array.from({ length: 24 }, (_, i) => String(i + 1));
    const narrow = map(["block1", "block2"], epochs);
    expect(ticks(narrow, "y")).toEqual(["block1", "block2"]);
    expect(ticks(narrow, "x").length).toBeLessThan(24);
    expect(narrow?.querySelector("li")).toBeNull();
  });
});

describe("narrow strips", () => {
  it("have the names of rows above their dots, so that the dots have the width", () => {
    const name = "a block of a long name";
    const dots = [{ row: 0, series: 0, value: 1, low: 0, high: 2 }];
    const series = [{ name: "s", colour: "black", dash: "none", symbol: "circle" as const }];
    const options = { label: "l", rows: [name], dots, series, x: { label: "effect", tickFormat: String } };
    const page = read(stripsPlot(options, document).text);
    const textIn = (kind: string) => [...page.querySelectorAll(`.${kind} text`)].find((t) => t.textContent === name);
    const shift = (of: Element | null | undefined): [number, number] => {
      const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(of?.getAttribute("transform") ?? "") ?? [];
      return [Number(x), Number(y)];
    };
    const narrow = textIn("narrow");
    const dot = page.querySelector(".narrow [data-mark=dot] > *");
    const [x, y] = shift(narrow);
    expect(x).toBeLessThan(40);
    expect(y).toBeLessThan(shift(dot)[1] || Number(dot?.getAttribute("cy")));
    expect(textIn("wide")).toBeDefined();
  });
});
