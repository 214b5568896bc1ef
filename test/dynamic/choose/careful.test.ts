/** @file The careful choice of a threshold: how often it breaks its limit on other records, and how it decides one. */
import { describe, expect, it } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import { uniform } from "../../../src/core/rng.js";
import { calibrate, type Measured } from "../../../src/dynamic/choose/calibrate.js";
import { chooseCarefully, isSafe } from "../../../src/dynamic/choose/careful.js";
import { route } from "../../../src/dynamic/route/route.js";
import type { Policy } from "../../../src/schema/policy.js";

const TARGET = { kind: "rad", loss: 0.05 } as const;
const FRAME = { rule: "max-softmax", fallback: "final", costs: [0.4, 1], target: TARGET } as const;

/** Records with an early exit that is right as often as it is sure, and a final exit that is right on 88 %. */
function records(seed: number, count: number): Measured {
  const draws = uniform({ seed, sample: 0, purpose: "test", step: 0 }, 3 * count);
  const early = new Float32Array(2 * count);
  const final = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const sure = 0.5 + 0.5 * draws[3 * i];
    const margin = Math.log(sure / (1 - Math.min(sure, 0.999999)));
    early[2 * i] = draws[3 * i + 1] < sure ? margin : -margin;
    final[2 * i] = draws[3 * i + 2] < 0.88 ? 3 : -3;
  }
  return { logits: new Logits([early, final], 2), labels: new Int32Array(count) };
}

const population = records(1, 4000);
const right = (policy: Policy): number =>
  route(population.logits, policy).filter(({ label }) => label === 0).length / population.labels.length;
const FINAL = right({ rule: "max-softmax", thresholds: [2], fallback: "final" });
const breaks = (policy: Policy): boolean => right(policy) < 0.95 * FINAL;

describe("a careful choice", () => {
  it("breaks its limit on other records about one time in ten at most, where the best fit breaks it often", () => {
    const draws = Array.from({ length: 40 }, (_, i) => records(100 + i, 120));
    const careful = draws.filter((drawn) => breaks(chooseCarefully(drawn, FRAME))).length;
    const fitted = draws.filter((drawn) => breaks(calibrate(drawn, FRAME).policy)).length;
    // Three standard errors above one in ten.
    expect(careful).toBeLessThanOrEqual(40 * 0.1 + 3 * Math.sqrt(40 * 0.09));
    expect(fitted).toBeGreaterThan(12);
  });

  it("saves work where records are many, and comes close to the best fit", () => {
    const many = records(7, 5000);
    const [careful] = chooseCarefully(many, FRAME).thresholds;
    const [fitted] = calibrate(many, FRAME).policy.thresholds;
    expect(careful).toBeGreaterThan(fitted);
    expect(careful - fitted).toBeLessThan(0.06);
  });

  it("lets no exit fire where each one loses too much", () => {
    const wrong = records(3, 200);
    // All are equally sure and wrong, so one threshold lets all of them go.
    const early = wrong.logits.exits[0].map((_, i) => (i % 2 === 0 ? -2 : 0));
    const measured = { labels: wrong.labels, logits: new Logits([early, wrong.logits.exits[1]], 2) };
    expect(chooseCarefully(measured, FRAME).thresholds).toEqual([2]);
  });
});

describe("a test of one threshold", () => {
  const cells = (both: number, onlyFinal: number, onlyRouted: number, neither: number) => ({
    both,
    onlyFinal,
    onlyRouted,
    neither,
  });

  it("agrees with the lower bound of the mean by hand", () => {
    // rad 5 %: 0.05 for both, -0.95 for the final exit alone, 1 for the routed answer alone.
    const values = [...Array(85).fill(0.05), ...Array(3).fill(-0.95), 1, ...Array(11).fill(0)];
    const padded = [...values, ...[-0.95, 1].map((v) => v / 2)];
    const sum = padded.reduce((a, b) => a + b, 0);
    const mean = sum / 101;
    const square = (values.reduce((a, v) => a + v * v, 0) + 0.5 * 0.95 ** 2 + 0.5) / 101 - mean ** 2;
    const low = mean - 1.2816 * Math.sqrt(square / 101);
    expect(isSafe(cells(85, 3, 1, 11), TARGET)).toBe(low >= 0);
    expect(low).toBeLessThan(0.005);
  });

  it("wants more records for the same loss", () => {
    expect(isSafe(cells(43, 1, 0, 6), TARGET)).toBe(false);
    expect(isSafe(cells(430, 10, 0, 60), TARGET)).toBe(true);
    expect(isSafe(cells(430, 10, 0, 60), { kind: "drop", points: 0.02 })).toBe(false);
    expect(isSafe(cells(430, 10, 0, 60), { kind: "drop", points: 0.04 })).toBe(true);
  });
});
