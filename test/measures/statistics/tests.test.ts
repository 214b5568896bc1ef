import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal } from "../../../src/core/rng.js";
import { mcnemarExact, mcnemarMidP } from "../../../src/measures/mcnemar.js";
import { clopperPearson } from "../../../src/measures/statistics/clopper-pearson.js";
import { spearman, spearmanInterval } from "../../../src/measures/statistics/correlation.js";
import { chiSquaredTail } from "../../../src/measures/statistics/distributions.js";
import { nonInferiority, tost } from "../../../src/measures/statistics/equivalence.js";
import { benjaminiHochberg, holm } from "../../../src/measures/statistics/multiplicity.js";
import { pageTrend } from "../../../src/measures/statistics/page.js";
import { pairedDifference } from "../../../src/measures/statistics/paired-difference.js";
import { signFlip } from "../../../src/measures/statistics/sign-flip.js";
import { tTest } from "../../../src/measures/statistics/t-test.js";
import { wilcoxon } from "../../../src/measures/statistics/wilcoxon.js";
import { wilson } from "../../../src/measures/wilson.js";
import { expectClose, R, TANGO } from "./reference.js";

const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 });

describe("McNemar's tests", () => {
  it.each(R.mcnemar)("of $b against $c equal R's", ({ b, c, exact, midp, chisq, chisq_corrected }) => {
    expectClose([mcnemarExact(b, c), mcnemarMidP(b, c)], [exact, midp]);
    if (b !== c) expectClose([chiSquaredTail((b - c) ** 2 / (b + c), 1)], [chisq]);
    if (b !== c) expectClose([chiSquaredTail((Math.abs(b - c) - 1) ** 2 / (b + c), 1)], [chisq_corrected]);
  });

  it("mid-p lies below the exact p value, by half the chance of what was seen on either side", () => {
    // 5 to 0: 2/32 - 1/32. 2 to 2: 1 - (6/16) / 2.
    expect(mcnemarMidP(5, 0)).toBeCloseTo(1 / 32, 15);
    expect(mcnemarMidP(2, 2)).toBeCloseTo(1 - 3 / 16, 15);
    expect(mcnemarMidP(0, 0)).toBe(0.5);
  });

  it("do not care which classifier is called A", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (b, c) => {
        expect(mcnemarMidP(b, c)).toBe(mcnemarMidP(c, b));
        expect(mcnemarMidP(b, c)).toBeLessThanOrEqual(mcnemarExact(b, c));
      }),
    );
  });
});

describe("intervals of rates", () => {
  it.each(R.binomial)("of $k in $n equal R's", ({ k, n, wilson: score, clopper_pearson }) => {
    const [w, exact] = [wilson(k, n), clopperPearson(k, n)];
    expectClose([w.low, w.high], score);
    expectClose([exact.low, exact.high], clopper_pearson);
  });

  it("the exact one has closed forms at no success, and refuses other counts", () => {
    expect(clopperPearson(0, 10).high).toBeCloseTo(1 - 0.025 ** 0.1, 12);
    expect(clopperPearson(0, 10, 0.9).high).toBeCloseTo(1 - 0.05 ** 0.1, 12);
    expect(() => clopperPearson(3, 2)).toThrow("statistics/value");
    expect(() => clopperPearson(0, 0)).toThrow("statistics/value");
  });

  it("the exact one covers at least 95 % at every rate", () => {
    const n = 12;
    const intervals = Array.from({ length: n + 1 }, (_, k) => clopperPearson(k, n));
    for (let p = 0.02; p < 1; p += 0.02) {
      let chance = (1 - p) ** n;
      let covered = 0;
      for (const [k, { low, high }] of intervals.entries()) {
        if (low <= p && p <= high) covered += chance;
        chance *= ((n - k) / (k + 1)) * (p / (1 - p));
      }
      expect(covered).toBeGreaterThanOrEqual(0.95);
    }
  });
});

describe("the difference of paired rates", () => {
  it("equals R's, and its interval the one by numerical likelihood", () => {
    for (const { b, c, both, neither, difference } of R.mcnemar)
      expectClose([pairedDifference(b, c, b + c + both + neither).value], [difference]);
    for (const [b, c, n, low, high] of TANGO) {
      const interval = pairedDifference(b, c, n);
      // The likelihood is flat, so its numerical maximum is known to about 1e-7.
      expect(interval.low).toBeCloseTo(low, 6);
      expect(interval.high).toBeCloseTo(high, 6);
    }
  });

  it("excludes 0 exactly when McNemar's score test rejects", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 200 }), (b, c, rest) => {
        const { low, high } = pairedDifference(b, c, b + c + rest);
        const rejects = b !== c && chiSquaredTail((b - c) ** 2 / (b + c), 1) < 0.05;
        expect(low > 1e-12 || high < -1e-12).toBe(rejects);
      }),
    );
  });

  it("mirrors when the classifiers are swapped, and refuses more discordant samples than samples", () => {
    const [one, other] = [pairedDifference(9, 2, 60), pairedDifference(2, 9, 60)];
    expectClose([one.low, one.high], [-other.high, -other.low], 1e-12);
    expect(pairedDifference(4, 0, 4).high).toBe(1);
    expect(pairedDifference(0, 4, 4).low).toBe(-1);
    expect(() => pairedDifference(3, 3, 5)).toThrow("statistics/value");
  });
});

describe("tests over blocks", () => {
  const { d } = R.blocks;

  it("equal R's on 12 blocks", () => {
    const [t, flips] = [tTest(d), signFlip(d)];
    expectClose([t.mean, t.error * Math.sqrt(12), t.t, t.p], [R.blocks.mean, R.blocks.sd, R.blocks.t, R.blocks.t_p]);
    expectClose([t.low, t.high], R.blocks.t_ci);
    expectClose([flips.p, flips.greater], [R.blocks.sign_flip_exact_two_sided, R.blocks.sign_flip_exact_greater]);
    expect(flips).toMatchObject({ patterns: 4096, exact: true });
    expectClose([wilcoxon(d).p], [R.blocks.wilcoxon_exact]);
    const small = tost(d, R.blocks.tost_margin);
    expectClose([small.lower, small.upper], [R.blocks.tost_lower_p, R.blocks.tost_upper_p]);
    expect(small.p).toBe(small.upper);
    expectClose([nonInferiority(d, R.blocks.noninferiority_margin)], [R.blocks.noninferiority_p]);
  });

  it("sign-flip of equal signs is 2 / 2^k, and 1 without a difference", () => {
    for (let k = 1; k <= 20; k++) {
      const { p, greater, less } = signFlip(Array.from({ length: k }, (_, i) => 0.1 + i));
      expect([p, greater, less]).toEqual([2 ** (1 - k), 2 ** -k, 1]);
    }
    expect(signFlip([0.1, -0.1]).p).toBe(1);
    expect(signFlip([0, 0, 0]).p).toBe(1);
  });

  it("sign-flip counts sums that are equal but for rounding", () => {
    // 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last bit. Of 8 patterns, 2 are as far out.
    expect(signFlip([0.3, 0.2, 0.1]).p).toBe(0.25);
    // 0.3 against 0.1 + 0.2: patterns of sum 0 count on both sides.
    expect(signFlip([0.3, -0.1, -0.2]).greater).toBe(5 / 8);
  });

  it("sampled sign-flip is near the exact one, is never 0, and depends on its seed alone", () => {
    const many = Array.from({ length: 21 }, (_, i) => Math.sin(i) + 0.35);
    const [sampled, again] = [signFlip(many, { seed: 3, draws: 20_000 }), signFlip(many, { seed: 3, draws: 20_000 })];
    expect(sampled).toEqual(again);
    expect(sampled).toMatchObject({ patterns: 20_000, exact: false });
    // The last value is so small that it hardly moves the sum: 20 exact values are the reference.
    const near = signFlip([...many.slice(0, 20), 1e-9], { seed: 3, draws: 20_000 });
    const exact = signFlip(many.slice(0, 20));
    expect(Math.abs(near.p - exact.p)).toBeLessThan(4 * Math.sqrt(exact.p / 20_000) + 1e-4);
    expect(Math.abs(near.greater - exact.greater)).toBeLessThan(4 * Math.sqrt(exact.greater / 20_000) + 1e-4);
    expect(signFlip(Array(30).fill(1), { draws: 100 }).p).toBe(1 / 101);
  });

  it("mirror when all signs change", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const mirrored = values.map((value) => -value);
        for (const test of [signFlip, tTest, wilcoxon]) {
          const [one, other] = [test(values), test(mirrored)];
          expect(other.p).toBeCloseTo(one.p, 12);
          expect(other.greater).toBeCloseTo(one.less, 12);
          expect(one.p).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("wilcoxon has published values, with zeros left out and ties exact", () => {
    // Wilcoxon 1945: the chance of a rank sum of at most 3 in 8 pairs is 5 / 256.
    expect(wilcoxon([-1, -2, 3, 4, 5, 6, 7, 8]).less).toBeGreaterThan(0.9);
    expect(wilcoxon([-1, -2, 3, 4, 5, 6, 7, 8]).greater).toBeCloseTo(5 / 256, 14);
    expect(wilcoxon([0, 0, 1, 2, 3]).p).toBeCloseTo(2 / 8, 14);
    // Two equal sizes share the rank 1.5: of 4 patterns, one is as large.
    expect(wilcoxon([1, 1])).toMatchObject({ statistic: 3, greater: 0.25, p: 0.5 });
    expect(wilcoxon([]).p).toBe(1);
  });

  it("of equal numbers are certain, and too few or endless numbers are refused", () => {
    expect(tTest([0.2, 0.2])).toMatchObject({ t: Infinity, p: 0, greater: 0, less: 1, low: 0.2, high: 0.2 });
    expect(tTest([0, 0])).toMatchObject({ t: 0, p: 1, greater: 0.5 });
    expect(() => tTest([1])).toThrow("tTest: the numbers cannot be used. Got 1 number, expected at least 2");
    expect(() => signFlip([1, Number.NaN])).toThrow("NaN at index 1");
    expect(() => tost([1, 2], 0)).toThrow("the margin does not fit");
  });
});

describe("p values of many tests", () => {
  it("equal R's", () => {
    expectClose(holm(R.multiplicity.p), R.multiplicity.holm);
    expectClose(benjaminiHochberg(R.multiplicity.p), R.multiplicity.bh);
  });

  it("keep their order, lie between the raw and the Bonferroni value, and do not depend on the order given", () => {
    expectClose(
      R.multiplicity.p.map((p) => Math.min(1, 8 * p)),
      R.multiplicity.bonferroni,
    );
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (p) => {
        for (const adjust of [holm, benjaminiHochberg]) {
          const adjusted = adjust(p);
          expect(adjust(p.toReversed())).toEqual(adjusted.toReversed());
          for (const [i, value] of adjusted.entries()) {
            expect(value).toBeGreaterThanOrEqual(p[i]);
            expect(value).toBeLessThanOrEqual(Math.min(1, p.length * p[i]));
          }
        }
      }),
    );
  });
});

describe("Page's trend test", () => {
  it("equals R's", () => {
    const { L, normal, exact } = pageTrend(R.page.ranks);
    expectClose([L, normal, exact], [R.page.L, R.page.normal_p, R.page.exact_p]);
  });

  it("has the published bounds of Page 1963: 3 conditions, 5 % from L = 28 for 2 blocks and 41 for 3", () => {
    expect(
      pageTrend([
        [1, 2, 3],
        [1, 2, 3],
      ]),
    ).toMatchObject({ L: 28, exact: expect.closeTo(1 / 36, 14) });
    const three = pageTrend([
      [1, 2, 3],
      [1, 2, 3],
      [1, 3, 2],
    ]);
    expect(three.L).toBe(41);
    expect(three.exact).toBeLessThan(0.05);
    expect(
      pageTrend([
        [1, 2, 3],
        [1, 3, 2],
        [1, 3, 2],
      ]).exact,
    ).toBeGreaterThan(0.05);
  });

  it("counts ties exactly: a block without a trend tells nothing", () => {
    expect(pageTrend([[5, 5, 5]]).exact).toBeCloseTo(1, 14);
    // Orders of 1, 1, 2: the largest score comes first in 1 of 3.
    expect(pageTrend([[1, 1, 2]]).exact).toBeCloseTo(1 / 3, 14);
    expect(() =>
      pageTrend([
        [1, 2],
        [1, 2, 3],
      ]),
    ).toThrow("statistics/value");
    expect(() => pageTrend([])).toThrow("statistics/value");
  });
});

describe("the interval of a rank correlation", () => {
  const worlds = Array.from({ length: 500 }, (_, sample) => {
    const [x, e] = [0, 1].map((step) => [...normal({ seed: 9, sample, purpose: "test", step }, 60)]);
    return spearmanInterval(
      x,
      x.map((v, i) => 0.5 * v + Math.sqrt(0.75) * e[i]),
    );
  });

  it("covers the correlation of a normal world in about 95 of 100 samples", () => {
    // Of normal variables with the linear correlation r, it is 6 / pi * asin(r / 2).
    const true_ = (6 / Math.PI) * Math.asin(0.25);
    const covered = worlds.filter(({ low, high }) => low <= true_ && true_ <= high).length;
    expect(covered).toBeGreaterThan(500 * 0.92);
    expect(covered).toBeLessThan(500 * 0.98);
  });

  it("holds the correlation, turns with its sign, and refuses three numbers", () => {
    const [x, y] = [
      [1, 2, 3, 4, 5, 6],
      [2, 1, 4, 3, 6, 5],
    ];
    const { value, low, high } = spearmanInterval(x, y);
    expect(value).toBe(spearman(x, y));
    // By hand: z = atanh(29/35), with the variance (1 + (29/35)^2 / 2) / 3.
    const half = 1.959963984540054 * Math.sqrt((1 + (29 / 35) ** 2 / 2) / 3);
    expectClose([low, high], [Math.tanh(Math.atanh(29 / 35) - half), Math.tanh(Math.atanh(29 / 35) + half)]);
    const turned = spearmanInterval(
      x,
      y.map((v) => -v),
    );
    expectClose([turned.low, turned.high], [-high, -low]);
    expect(() => spearmanInterval([1, 2, 3], [1, 2, 3])).toThrow("statistics/value");
  });
});
