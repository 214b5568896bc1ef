/** @file The words of a verdict: what is sure, what is not, and which way a difference goes. */
import { describe, expect, it } from "vitest";
import {
  keptOf,
  keptWords,
  lossCell,
  lossWords,
  speedCell,
  speedWords,
  workWords,
} from "../../src/report/shared/verdict.js";

const range = (low: number, median: number, high: number) => ({ low, median, high });
const about = (low: number, value: number, high: number) => ({ low, value, high });

describe("a verdict", () => {
  it.each([
    [range(1.7, 1.82, 1.94), "1.8x as fast (1.7-1.9)", "1.8x"],
    [range(0.78, 0.82, 0.86), "slower, 0.82x as fast (0.78-0.86)", "0.82x"],
    [range(0.95, 1.04, 1.08), "unsure (0.95x-1.08x as fast)", "unsure"],
    [range(1.001, 1.01, 1.02), "1.01x as fast (1.00-1.02)", "1.01x"],
    [range(0.991, 0.997, 0.999), "1.00x as fast (0.99-1.00)", "1.00x"],
    [range(1.8, 1.8, 1.8), "1.8x as fast (one round)", "1.8x"],
    [range(0.82, 0.82, 0.82), "slower, 0.82x as fast (one round)", "0.82x"],
    [range(1, 1.3, 1.5), "unsure (1.00x-1.5x as fast)", "unsure"],
  ])("on speed is unsure where the range holds 1", (speed, words, cell) => {
    expect([speedWords(speed), speedCell(speed)]).toEqual([words, cell]);
  });

  it.each([
    [about(-0.003, 0.004, 0.011), "0.4 points less accurate (95 %: -0.3 to 1.1)"],
    [about(0.001, 0.01, 0.02), "1.0 point less accurate (95 %: 0.1 to 2.0)"],
    [about(-0.02, -0.01, 0.005), "1.0 point more accurate (95 %: -0.5 to 2.0)"],
    [about(-0.01, 0, 0.01), "as accurate (95 %: -1.0 to 1.0 points less)"],
    [about(-0.01, -0.0001, 0.01), "as accurate (95 %: -1.0 to 1.0 points less)"],
  ])("on accuracy says which way the difference goes", (lost, words) => {
    expect(lossWords(lost)).toBe(words);
  });

  it("has no minus before a zero", () => {
    expect(lossCell(about(-0.0001, -0.0001, 0.02))).toBe("0.0 (0.0 to 2.0)");
  });

  it("on work counts what is left undone", () => {
    expect(workWords(about(0.5, 0.6, 0.7))).toBe("40.0 % less work (30.0-50.0)");
    expect(workWords(about(1, 1.02, 1.05))).toBe("2.0 % more work");
  });

  it.each([
    [about(0, 0.01, 0.02), "kept", "This holds here."],
    [
      about(0, 0.03, 0.06),
      "perhaps kept",
      "This holds here, but the interval also allows a little more than was asked.",
    ],
    [about(0.02, 0.06, 0.1), "perhaps missed", /does not hold here, which may be chance/],
    [about(0.051, 0.06, 0.1), "missed", "This does NOT hold here."],
  ] as const)("on a limit of 0.05 tells what holds from what may be chance", (found, kept, words) => {
    expect(keptOf(found, 0.05)).toBe(kept);
    expect(keptWords(keptOf(found, 0.05), "here")).toMatch(words);
  });
});
