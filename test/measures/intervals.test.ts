import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accuracy } from "../../src/measures/accuracy.js";
import { mcnemarExact } from "../../src/measures/mcnemar.js";
import { wilson } from "../../src/measures/wilson.js";

describe("wilson", () => {
  // Newcombe 1998, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("gives the published interval of %i in %i", (successes, n, low, high) => {
    const rate = wilson(successes, n);
    expect(rate.value).toBe(successes / n);
    expect(rate.low).toBeCloseTo(low, 4);
    expect(rate.high).toBeCloseTo(high, 4);
  });

  it("knows nothing without trials", () => {
    expect(wilson(0, 0)).toEqual({ value: 0, low: 0, high: 1 });
  });

  it("solves the score equation (p - bound)^2 = z^2 bound (1 - bound) / n at both ends, inside [0,1] and around the rate", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e5 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const { value, low, high } = wilson(Math.round(share * n), n, 1.5);
        expect(low >= 0 && low <= value && value <= high && high <= 1).toBe(true);
        for (const bound of [low, high]) expect((value - bound) ** 2).toBeCloseTo((2.25 * bound * (1 - bound)) / n, 12);
      }),
    );
  });

  it("ends exactly at 0 and 1 where there is no success and no failure", () => {
    for (let n = 1; n <= 200; n++) expect([wilson(0, n).low, wilson(n, n).high]).toEqual([0, 1]);
  });

  it("mirrors: failures have the mirrored interval", () => {
    const [rate, mirrored] = [wilson(7, 31), wilson(24, 31)];
    expect(mirrored.low).toBeCloseTo(1 - rate.high, 14);
    expect(mirrored.high).toBeCloseTo(1 - rate.low, 14);
  });

  it("refuses more successes than trials", () => {
    expect(() => wilson(3, 2)).toThrow("bug: wilson of 3 successes in 2 trials");
  });
});

describe("mcnemarExact", () => {
  it.each([
    [9, 2, 134 / 2048], // Fay 2010: p = 0.06543
    [5, 0, 2 / 32],
    [1, 5, 14 / 64],
    [0, 0, 1],
    [4, 4, 1],
  ])("of %i against %i is the closed form", (onlyA, onlyB, p) => {
    expect(mcnemarExact(onlyA, onlyB)).toBeCloseTo(p, 14);
  });

  it("does not care which classifier is called A, and a larger split of as many samples is rarer", () => {
    expect(mcnemarExact(3, 17)).toBe(mcnemarExact(17, 3));
    expect(mcnemarExact(2, 18)).toBeLessThan(mcnemarExact(3, 17));
  });

  it("stays finite and close to the normal approximation for thousands of samples", () => {
    // 2 (1 - Phi(z)) at z = (|5100 - 4900| - 1) / sqrt(10000) = 1.99 is 0.04659 (tables of the normal distribution).
    expect(mcnemarExact(5100, 4900)).toBeCloseTo(0.04659, 4);
  });
});

describe("accuracy", () => {
  it("counts equal labels and adds their interval", () => {
    expect(accuracy([1, 2, 3, 4], Int32Array.of(1, 2, 0, 4))).toEqual(wilson(3, 4));
  });

  it("refuses lists of different lengths", () => {
    expect(() => accuracy([1], [1, 2])).toThrow("bug: 2 answers for 1 label");
  });
});
