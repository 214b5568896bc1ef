import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseQuantity, showCount, showRadius } from "../../src/core/units.js";
import { failure } from "../support/failure.js";

describe("quantities as people write them", () => {
  test.each([
    ["8/255", 8 / 255],
    ["0.25/255", 0.25 / 255],
    [" 1 / 4 ", 0.25],
    ["5%", 0.05],
    ["100 %", 1],
    ["1e-3", 0.001],
    ["-.5", -0.5],
    ["+2.", 2],
    ["1E2/1e1", 10],
    [0.3, 0.3],
    [0, 0],
  ])("%j is %d", (text, value) => expect(parseQuantity(text, "--eps")).toBe(value));

  test.each([
    "",
    " ",
    "eight",
    "1/0",
    "0/0",
    "8/255%",
    "1//2",
    "1,5",
    "0x10",
    "--1",
    "1e999",
    "NaN",
    "8 255",
    Number.NaN,
  ])("%j is refused", (text) => {
    expect(() => parseQuantity(text, "--eps")).toThrow(
      failure(
        "cli/value",
        `--eps: "${text}" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%).`,
      ),
    );
  });

  test("every finite number reads back from its text", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(parseQuantity(String(x), "x") === x).toBe(true);
      }),
    );
  });
});

describe("radii as people write them", () => {
  test.each([
    [8 / 255, "8/255"],
    [0.25 / 255, "0.25/255"],
    [1.5 / 255, "1.5/255"],
    [Math.fround(8 / 255), "8/255"],
    [0, "0"],
    [0.03, "0.03"],
    [0.0123456, "0.01235"],
  ])("%d is %s", (radius, text) => expect(showRadius(radius)).toBe(text));

  test("a multiple of a quarter of 1/255 reads back as itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), (quarters) => {
        expect(parseQuantity(showRadius(quarters / 4 / 255), "x")).toBeCloseTo(quarters / 4 / 255, 12);
      }),
    );
  });
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1.0 k"],
  [99_949, "99.9 k"],
  [99_960, "100 k"],
  [123_456, "123 k"],
  [999_499, "999 k"],
  [999_999, "1.0 M"],
  [12_345_678, "12.3 M"],
  [40_980_000, "41.0 M"],
  [5_500_000_000, "5.5 G"],
  [5e12, "5.0 T"],
])("a count of %d is %s", (count, text) => expect(showCount(count)).toBe(text));
