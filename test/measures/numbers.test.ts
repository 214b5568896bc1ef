import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { norms } from "../../src/measures/norms.js";
import { percentile, percentiles } from "../../src/measures/percentile.js";

describe("norms", () => {
  it("measure a perturbation in every norm", () => {
    expect(norms(Float32Array.of(0, 0, 1, 0), Float32Array.of(3, 0, -3, 0))).toEqual({ l0: 2, l1: 7, l2: 5, linf: 4 });
  });

  it("look at the given range only", () => {
    const [clean, moved] = [new Float32Array(6), Float32Array.of(9, 9, 0.5, 0, 9, 9)];
    expect(norms(clean, moved, 2, 4)).toEqual({ l0: 1, l1: 0.5, l2: 0.5, linf: 0.5 });
    expect(norms(clean, moved, 3, 3)).toEqual({ l0: 0, l1: 0, l2: 0, linf: 0 });
  });

  it("obey linf <= l2 <= l1 <= l0 * linf", () => {
    const image = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(image, image, (a, b) => {
        const { l0, l1, l2, linf } = norms(Float32Array.from(a), Float32Array.from(b));
        expect(linf <= l2 && l2 <= l1 && l1 <= l0 * linf).toBe(true);
      }),
    );
  });
});

describe("percentile", () => {
  it("interpolates as R and NumPy do (type 7)", () => {
    // R: quantile(c(15, 20, 35, 40, 50), c(.4, .05, .95)) = 29, 16, 48
    const values = [50, 15, 35, 20, 40];
    expect(percentile(values, 40)).toBeCloseTo(29, 12);
    expect(percentile(values, 5)).toBeCloseTo(16, 12);
    expect(percentile(values, 95)).toBeCloseTo(48, 12);
    expect(values).toEqual([50, 15, 35, 20, 40]);
  });

  it("meets the extremes at 0 and 100, and a single value everywhere", () => {
    expect([percentile([3, 1, 2], 0), percentile([3, 1, 2], 100)]).toEqual([1, 3]);
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
  });

  it("gives p50, p95 and p99 of 0..100 as they read", () => {
    expect(percentiles(Array.from({ length: 101 }, (_, i) => 100 - i))).toEqual({ p50: 50, p95: 95, p99: 99 });
  });

  it("refuses an empty list and percents outside 0..100", () => {
    expect(() => percentile([], 50)).toThrow("bug: percentile 50 of 0 values");
    expect(() => percentile([1], 101)).toThrow("bug: percentile 101 of 1 value");
  });
});
