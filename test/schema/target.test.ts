import { describe, expect, it } from "vitest";
import { readShareTarget, targetSchema, targetWords } from "../../src/schema/target.js";

describe("a target", () => {
  it.each([
    ["rad:5%", { kind: "rad", loss: 0.05 }],
    ["keep:95%", { kind: "rad", loss: 0.05 }],
    ["keep:100%", { kind: "rad", loss: 0 }],
    ["drop:1pt", { kind: "drop", points: 0.01 }],
    ["drop:2.5 points", { kind: "drop", points: 0.025 }],
    ["budget:50%", { kind: "budget", cost: 0.5 }],
  ] as const)("is read from %s", (text, target) => {
    expect(readShareTarget(text)).toEqual(target);
    expect(targetSchema.parse(target)).toEqual(target);
  });

  it.each(["0.8", "never", "rad:", "rad:much", "hold:95%", "latency:2ms"])("is not %s", (text) => {
    expect(readShareTarget(text)).toBeUndefined();
  });

  it.each([
    ["rad:95%", /"rad:95%" means: give up 95 % of .*write rad:5% or keep:95%\./],
    ["keep:5%", /"keep:5%" means: give up 95 % of .*write rad:5% or keep:95%\./],
    ["rad:60%", /write rad:40% or keep:60%\./],
    ["rad:100%", /write rad:5% or keep:95%\./],
    ["rad:150%", /expected a share above 0 and up to 100 %\. Write e\.g\. --target rad:5%/],
    ["drop:1%", /expected percentage points\. Write e\.g\. --target drop:1pt/],
    ["drop:60pt", /at most 50 percentage points/],
  ])("refuses %s, and names what was probably meant", (text, message) => {
    expect(() => readShareTarget(text, "--target")).toThrow(message);
  });

  it("keeps half of the accuracy at least", () => {
    expect(readShareTarget("rad:50%")).toEqual({ kind: "rad", loss: 0.5 });
  });

  it("says what it asks for", () => {
    const words = ["keep:95%", "drop:1pt", "drop:2pt", "budget:50%"].map((text) => {
      const target = readShareTarget(text);
      return target && targetWords(target);
    });
    expect(words).toEqual([
      "the cheapest that keeps 95 % of the final exit's accuracy",
      "the cheapest that loses at most 1 point",
      "the cheapest that loses at most 2 points",
      "the most accurate at a mean cost of at most 50 %",
    ]);
  });
});
