import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  betaQuantile,
  chiSquaredTail,
  normalCdf,
  normalQuantile,
  normalTail,
  tQuantile,
  tTail,
} from "../../../src/measures/statistics/distributions.js";
import { rootOf } from "../../../src/measures/statistics/root.js";
import { incompleteBeta, logGamma, stirlingError, upperGamma } from "../../../src/measures/statistics/special.js";
import { expectClose, SPECIAL } from "./reference.js";

const probability = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
const shape = fc.double({ min: 0.3, max: 200, noNaN: true });

describe("special functions", () => {
  it("equal values of 40 digits to 1e-12", () => {
    // Values below 1e-290 leave the range of normal numbers.
    const rows = SPECIAL.ibeta.filter((row) => row[3] > 1e-290);
    expect(rows.length).toBeGreaterThan(250);
    for (const [a, b, x, want] of rows) expectClose([incompleteBeta(a, b, x)], [want], 1e-12);
    for (const [a, x, want] of SPECIAL.igamq) expectClose([upperGamma(a, x)], [want], 1e-12);
    for (const [z, want] of SPECIAL.norm) expectClose([normalCdf(z)], [want], 1e-12);
  });

  it("have their closed forms: factorials, powers, exponentials", () => {
    expectClose(
      [logGamma(5), logGamma(0.5), logGamma(171)],
      [Math.log(24), Math.log(Math.PI) / 2, 706.5730622457874],
      1e-13,
    );
    expectClose([stirlingError(1)], [1 - Math.log(2 * Math.PI) / 2], 1e-13);
    expectClose([incompleteBeta(3, 1, 0.2), incompleteBeta(1, 3, 0.2)], [0.008, 1 - 0.8 ** 3], 1e-13);
    expectClose([upperGamma(1, 2), upperGamma(2, 3)], [Math.exp(-2), 4 * Math.exp(-3)], 1e-13);
    expect([incompleteBeta(2, 3, 0), incompleteBeta(2, 3, 1), upperGamma(2, 0)]).toEqual([0, 1, 1]);
  });

  it("mirror: I_x(a, b) + I_(1-x)(b, a) = 1", () => {
    fc.assert(
      fc.property(shape, shape, probability, (a, b, x) => {
        expect(incompleteBeta(a, b, x, 1 - x) + incompleteBeta(b, a, 1 - x, x)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("quantiles", () => {
  it("equal published tables", () => {
    // Abramowitz and Stegun, tables 26.5 and 26.10.
    expect(normalQuantile(0.975)).toBeCloseTo(1.95996398, 8);
    expect([tQuantile(0.975, 5), tQuantile(0.975, 17), tQuantile(0.95, 11)].map((t) => t.toFixed(3))).toEqual([
      "2.571",
      "2.110",
      "1.796",
    ]);
    expect(chiSquaredTail(3.841, 1)).toBeCloseTo(0.05, 4);
    expect(chiSquaredTail(18.307, 10)).toBeCloseTo(0.05, 5);
  });

  it("undo the distribution functions", () => {
    fc.assert(
      fc.property(probability, shape, shape, (p, a, rest) => {
        // Below 1, the density is endless at an end, where neighbours of x differ by more.
        const b = 1 + rest;
        expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 12);
        expect(1 - tTail(tQuantile(p, a), a)).toBeCloseTo(p, 10);
        expect(incompleteBeta(1 + a, b, betaQuantile(p, 1 + a, b))).toBeCloseTo(p, 10);
      }),
    );
  });

  it("are symmetric, and infinite at the ends", () => {
    expect(normalQuantile(0.25)).toBe(-normalQuantile(0.75));
    expect(tQuantile(0.125, 3)).toBe(-tQuantile(0.875, 3));
    expect([normalQuantile(0), normalQuantile(1), tQuantile(0, 2), tQuantile(1, 2)]).toEqual([
      -Infinity,
      Infinity,
      -Infinity,
      Infinity,
    ]);
    expect([betaQuantile(0, 2, 2), betaQuantile(1, 2, 2)]).toEqual([0, 1]);
    expect(normalTail(-1)).toBeCloseTo(normalCdf(1), 15);
    expect(tTail(Infinity, 4)).toBe(0);
  });

  it("t with 1 and 2 degrees of freedom has closed forms, and t with many is normal", () => {
    expect(tTail(1, 1)).toBeCloseTo(0.25, 14);
    expect(tTail(Math.SQRT2, 2)).toBeCloseTo(0.5 - Math.SQRT2 / (2 * Math.sqrt(2 + 2)), 14);
    expect(tTail(1.5, 1e7)).toBeCloseTo(normalTail(1.5), 7);
  });
});

it("rootOf finds rising and falling roots, and the nearer end without one", () => {
  expect(rootOf((x) => x * x - 2, 0, 2)).toBeCloseTo(Math.SQRT2, 15);
  expect(rootOf((x) => 1 - x, -3, 2)).toBeCloseTo(1, 15);
  expect(rootOf((x) => x + 1, 0, 2)).toBeCloseTo(0, 15);
});
