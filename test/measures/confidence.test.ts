import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedCalibrationError, negativeLogLikelihood } from "../../src/measures/ece.js";
import { meanInterval } from "../../src/measures/mean.js";

describe("the expected calibration error", () => {
  it("is the closed form by hand: two bins, 0.9 sure and half right, 0.6 sure and all right", () => {
    const [confidences, right] = [
      [0.9, 0.9, 0.6, 0.6],
      [true, false, true, true],
    ];
    expect(expectedCalibrationError(confidences, right)).toBeCloseTo((2 * 0.4 + 2 * 0.4) / 4, 14);
  });

  it("is 0 for who is right as often as said, and the gap itself in a single bin", () => {
    expect(expectedCalibrationError([0.5, 0.5], [true, false])).toBe(0);
    expect(expectedCalibrationError([1, 1, 1, 1], [true, false, false, false])).toBe(0.75);
    expect(expectedCalibrationError([0.2, 0.9], [true, true], 1)).toBeCloseTo(0.45, 14);
    expect(expectedCalibrationError([], [])).toBe(0);
  });

  it("puts the upper edge of a bin into that bin, as Guo et al. define it", () => {
    // 1/3 is the upper edge of bin 5; 0.34 lies in bin 6.
    expect(expectedCalibrationError([1 / 3, 0.3], [true, false])).toBeCloseTo(Math.abs(1 / 3 + 0.3 - 1) / 2, 14);
    expect(expectedCalibrationError([1 / 3, 0.34], [true, false])).toBeCloseTo((2 / 3 + 0.34) / 2, 14);
  });

  it("does not let the gaps of two bins cancel: 0.3 too sure and 0.3 too unsure make 0.3", () => {
    expect(expectedCalibrationError([0.3, 0.7], [false, true])).toBeCloseTo(0.3, 14);
  });

  it("is at least the distance between mean confidence and accuracy, whatever the bins", () => {
    const pairs = fc.array(fc.record({ c: fc.double({ min: 0, max: 1, noNaN: true }), r: fc.boolean() }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 30 }), (all, bins) => {
        const [c, r] = [all.map((p) => p.c), all.map((p) => p.r)];
        const ece = expectedCalibrationError(c, r, bins);
        const gap = Math.abs(all.reduce((sum, p) => sum + p.c - Number(p.r), 0)) / all.length;
        expect(ece).toBeGreaterThanOrEqual(gap - 1e-12);
        expect(ece).toBeLessThanOrEqual(1);
      }),
    );
  });
});

it("the negative log-likelihood is the mean of -log p, finite where the truth was ruled out", () => {
  expect(negativeLogLikelihood([0.5, 0.25])).toBeCloseTo((3 * Math.LN2) / 2, 14);
  expect(negativeLogLikelihood([0])).toBeCloseTo(149 * Math.LN2, 10);
  expect(negativeLogLikelihood([Number.NaN])).toBeCloseTo(149 * Math.LN2, 10);
  expect(negativeLogLikelihood([])).toBe(0);
});

describe("the interval of a mean", () => {
  it("is 1.96 standard errors to both sides", () => {
    // Mean 0.5, variance 1/3 (n - 1), standard error sqrt(1/12).
    const { value, low, high } = meanInterval([0, 0, 1, 1], [-9, 9]);
    expect(value).toBe(0.5);
    expect(high - value).toBeCloseTo(1.959963984540054 / Math.sqrt(12), 14);
    expect(value - low).toBeCloseTo(high - value, 14);
  });

  it("is cut at what is possible", () => {
    // Mean 0.8, standard error 0.2: 0.8 + 0.39 is more than there can be; and so on the other side.
    expect(meanInterval([1, 1, 1, 1, 0], [0, 1]).high).toBe(1);
    expect(meanInterval([0, 0, 0, 0, 1], [0, 1]).low).toBe(0);
    expect(meanInterval([1, 1, 1, 1, 0], [0, 1]).low).toBeCloseTo(0.8 - 0.2 * 1.959963984540054, 14);
  });

  it("stays within what is possible and around the mean, and knows nothing of one value", () => {
    expect(meanInterval([0.4], [0.2, 1])).toEqual({ value: 0.4, low: 0.2, high: 1 });
    expect(meanInterval([], [0.2, 1])).toEqual({ value: 0, low: 0.2, high: 1 });
    // The sum of six times 0.2, divided by six, is 0.19999999999999998.
    expect(meanInterval(Array(6).fill(0.2), [0.2, 1])).toEqual({ value: 0.2, low: 0.2, high: 0.2 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0.2, 0.5, 1), { minLength: 2 }), (values) => {
        const { value, low, high } = meanInterval(values, [0.2, 1]);
        expect(0.2 <= low && low <= value && value <= high && high <= 1).toBe(true);
      }),
    );
  });
});
