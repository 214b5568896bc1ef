import { parseHTML } from "linkedom/worker";
import { expect, test } from "vitest";
import { jsonTable } from "../../src/report/shared/settings.js";

const rowsOf = (text: string): (string | null)[][] =>
  [...parseHTML(jsonTable("The plan.", text).text).document.querySelectorAll("tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );

test("JSON is shown as a table in words", () => {
  const plan = { seed: 7, attacks: [{ name: "pgd", stepSize: 0.5 }], radii: [1, 2], edited: false, note: null };
  expect(rowsOf(JSON.stringify(plan))).toEqual([
    ["seed", "7"],
    ["attacks: 1: name", "pgd"],
    ["attacks: 1: step size", "0.5"],
    ["radii", "1, 2"],
    ["edited", "no"],
    ["note", "none"],
  ]);
  expect(rowsOf("no JSON")).toEqual([["text", "no JSON"]]);
});

test("what a long table leaves out is counted", () => {
  const long = JSON.stringify(Object.fromEntries(Array.from({ length: 230 }, (_, i) => [`value${i}`, i])));
  expect(rowsOf(long)).toHaveLength(200);
  expect(jsonTable("The plan.", long).text).toContain("The plan. 30 more values are left out here.");
});
