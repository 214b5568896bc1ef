/** @file Tables and lines of text fit the terminal. */
import { afterEach, describe, expect, it } from "vitest";
import { table } from "../../src/cli/shared/table.js";
import { fitTo, fitToNothing, widthOf, wrapped } from "../../src/cli/shared/terminal.js";
import { cli } from "./support.js";

const terminal = (columns: number) => fitTo({ isTTY: true, columns });
afterEach(fitToNothing);

const COLUMNS = [
  { head: "attack", align: "left" },
  { head: "judged by", align: "left" },
  ...["robust accuracy", "success", "success, 8-bit"].map((head) => ({ head })),
  ...["eligible", "mean L2", "largest Linf"].map((head) => ({ head })),
] as const;
const RATE = "41.4 % (35.5-47.5)";
const row = (name: string) => [name, "final", RATE, RATE, RATE, "218 of 256", "0.206", "1/255"];
const wide = () => table(COLUMNS, [row("fgsm"), row("early-published")]);
const longest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("a table", () => {
  it("is whole where there is room, and where nobody asked", () => {
    expect(wide().split("\n")[1]).toMatch(/^fgsm .* 1\/255$/);
    terminal(200);
    expect(wide().trimEnd().split("\n")).toHaveLength(3);
  });

  it("breaks its heads first, where that is enough", () => {
    terminal(50);
    const heads = ["exit", "accuracy on all samples", "share of the full cost"].map((head) => ({ head }));
    const lines = table(heads, [["exit0", "84.0 %", "17.8 %"]])
      .trimEnd()
      .split("\n");
    expect(longest(lines.join("\n"))).toBeLessThanOrEqual(50);
    expect(lines.at(-1)).toMatch(/^exit0 +84\.0 % +17\.8 %$/);
    expect(lines.slice(0, -1).join(" ").split(/ +/).filter(Boolean).sort()).toEqual(
      heads.flatMap(({ head }) => head.split(" ")).sort(),
    );
  });

  it("goes on below with its first column, and loses no cell", () => {
    terminal(80);
    const text = wide();
    expect(longest(text)).toBeLessThanOrEqual(80);
    expect(text.match(/early-published/g)?.length).toBeGreaterThan(1);
    expect(text.match(/41\.4 % \(35\.5-47\.5\)/g)).toHaveLength(6);
    for (const cell of ["218 of 256", "0.206", "1/255", "success,", "8-bit"]) expect(text).toContain(cell);
  });

  it("has parts of nearly equal width, each with the columns that tell the rows apart", () => {
    terminal(80);
    const heads = ["rule", "threshold", ...Array.from({ length: 9 }, (_, i) => `column ${i}`)];
    const rows = ["0.5", "0.7"].map((threshold) => [
      "entropy",
      threshold,
      ...heads.slice(2).map(() => "1.50 (1.4-1.6)"),
    ]);
    const parts = table(
      heads.map((head) => ({ head })),
      rows,
    ).split("\n\n");
    expect(parts.map((part) => part.split("\n")[0].match(/column \d/g)?.length)).toEqual([3, 3, 3]);
    for (const part of parts) expect(part).toMatch(/entropy +0\.5 [\s\S]*entropy +0\.7 /);
  });

  it("breaks long words of explanation between words", () => {
    terminal(60);
    const about = "one gradient step on the final exit, then another one for good measure";
    const text = table(
      [
        { head: "name", align: "left" },
        { head: "about", align: "left" },
      ],
      [["fgsm", about]],
    );
    expect(longest(text)).toBeLessThanOrEqual(60);
    expect(text.replaceAll(/\s+/g, " ")).toContain(about);
  });

  it("has 80 columns where no terminal shows it, and those of COLUMNS where it is set", () => {
    fitTo({});
    expect(longest(wide())).toBeLessThanOrEqual(80);
    process.env.COLUMNS = "120";
    fitTo({});
    delete process.env.COLUMNS;
    expect(longest(wide())).toBeGreaterThan(80);
  });
});

describe("a line of text", () => {
  const line = "  The thresholds were chosen on records 256 to 499, which are not in the results of this report.\n";

  it("is broken between words and keeps its indent", () => {
    terminal(60);
    expect(wrapped(line)).toBe(
      "  The thresholds were chosen on records 256 to 499, which\n  are not in the results of this report.\n",
    );
  });

  it("stays whole in a log, and JSON everywhere", () => {
    process.env.COLUMNS = "60";
    fitTo({});
    delete process.env.COLUMNS;
    expect(wrapped(line)).toBe(line);
    terminal(60);
    expect(wrapped(`{"a": "${line.trim()}"}`)).toBe(`{"a": "${line.trim()}"}`);
  });

  it("counts letters that are two columns wide, and colours as nothing", () => {
    expect(widthOf("\u001b[31m汉字a\u001b[39m")).toBe(5);
  });

  it("of an error is broken too", async () => {
    terminal(60);
    expect(longest((await cli("inspect", "--verbose", "model.onnx")).err)).toBeLessThanOrEqual(60);
  });
});
