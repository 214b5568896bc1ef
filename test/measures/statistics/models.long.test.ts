import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal } from "../../../src/core/rng.js";
import { acceleration, hierarchicalBootstrap } from "../../../src/measures/statistics/bootstrap.js";
import { kendall, pearson, spearman } from "../../../src/measures/statistics/correlation.js";
import { cohenKappa } from "../../../src/measures/statistics/kappa.js";
import { powerOverBlocks } from "../../../src/measures/statistics/power.js";
import { linearRegression, partialColumn } from "../../../src/measures/statistics/regression.js";
import { kaplanMeier, logRank, restrictedMean } from "../../../src/measures/statistics/survival.js";
import { expectClose, R } from "./reference.js";

const group = (time: readonly number[], event: readonly number[]) => ({ time, event: event.map((e) => e === 1) });
const first = group(R.survival.time1, R.survival.event1);
const second = group(R.survival.time2, R.survival.event2);

describe("survival", () => {
  it("equals R's", () => {
    const steps = kaplanMeier(first);
    const { time, survival, se, lower, upper } = R.survival.km1;
    expect(steps.map((step) => step.time)).toEqual(time);
    expectClose(
      steps.map((step) => step.survival),
      survival,
    );
    expectClose(
      steps.map((step) => step.error),
      se,
    );
    expectClose(
      steps.map((step) => step.low),
      lower,
    );
    expectClose(
      steps.map((step) => step.high),
      upper,
    );
    expectClose([restrictedMean(first, 10)], [R.survival.restricted_mean_10]);
    const { chiSquared, p } = logRank(first, second);
    expectClose([chiSquared, p], [R.survival.logrank_chisq, R.survival.logrank_p]);
  });

  it("without censoring is the share that is left, and its area is the mean", () => {
    const times = group([1, 2, 4, 4], [1, 1, 1, 1]);
    expect(kaplanMeier(times).map((step) => step.survival)).toEqual([0.75, 0.5, 0]);
    expect(restrictedMean(times, 4)).toBeCloseTo(11 / 4, 14);
    expect(restrictedMean(times, 3)).toBeCloseTo((1 + 2 + 3 + 3) / 4, 14);
  });

  it("log-rank does not care which group is first, and finds no difference between equal groups", () => {
    expect(logRank(second, first).chiSquared).toBeCloseTo(logRank(first, second).chiSquared, 12);
    expect(logRank(first, first)).toEqual({ chiSquared: 0, p: 1 });
    expect(logRank(group([1], [0]), group([2], [0]))).toEqual({ chiSquared: 0, p: 1 });
    expect(() => kaplanMeier({ time: [1], event: [] })).toThrow("statistics/value");
  });
});

describe("correlation", () => {
  const { x, y } = R.rank;

  it("equals R's", () => {
    const { value, low, high } = pearson(x, y);
    expectClose([spearman(x, y), kendall(x, y), value], [R.rank.spearman, R.rank.kendall, R.rank.pearson]);
    expectClose([low, high], R.rank.pearson_ci);
  });

  it("does not change with units, turns with the sign, and by rank with any rising function", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
      minLength: 4,
      maxLength: 12,
    });
    fc.assert(
      fc.property(pairs, (all) => {
        const [a, b] = [all.map(([v]) => v), all.map(([, v]) => v)];
        fc.pre(new Set(a).size > 1 && new Set(b).size > 1);
        const minus = b.map((v) => -v);
        for (const f of [spearman, kendall, (p: number[], q: number[]) => pearson(p, q).value]) {
          expect(
            f(
              a.map((v) => 3 * v + 1),
              b,
            ),
          ).toBeCloseTo(f(a, b), 10);
          expect(f(a, minus)).toBeCloseTo(-f(a, b), 10);
        }
        for (const f of [spearman, kendall])
          expect(
            f(
              a.map((v) => v ** 3),
              b,
            ),
          ).toBeCloseTo(f(a, b), 10);
      }),
    );
  });

  it("refuses lists of different lengths", () => {
    expect(() => pearson([1, 2, 3, 4], [1, 2, 3, 4, 5])).toThrow("4 and 5");
    expect(() => kendall([1], [1, 2])).toThrow("statistics/value");
  });
});

describe("regression", () => {
  const { group: cluster, x1, x2, y } = R.clustered;

  it("equals R's coefficients, CR1 errors, p values and plain errors", () => {
    const { coefficients, df } = linearRegression({ y, columns: [x1, x2], cluster });
    expect(df).toBe(5);
    expectClose(
      coefficients.map((c) => c.value),
      R.clustered.coef,
    );
    expectClose(
      coefficients.map((c) => c.error),
      R.clustered.se_cr1,
    );
    expectClose(
      coefficients.map((c) => c.p),
      R.clustered.p_df5,
    );
    expectClose(
      coefficients.map((c) => c.plainError),
      R.clustered.se_ols,
    );
  });

  it("has an interval that ends where the p value is 5 %", () => {
    const [, slope] = linearRegression({ y, columns: [x1, x2], cluster }).coefficients;
    const shifted = y.map((value, i) => value - slope.low * x1[i]);
    expect(linearRegression({ y: shifted, columns: [x1, x2], cluster }).coefficients[1].p).toBeCloseTo(0.05, 10);
  });

  it("finds an exact line, and refuses columns that depend on each other, one cluster, and too few rows", () => {
    const columns = [[0, 1, 2, 5]];
    const exact = linearRegression({ y: [1, 3, 5, 11], columns, cluster: [0, 1, 2, 3] });
    expectClose(
      exact.coefficients.map((c) => c.value),
      [1, 2],
      1e-13,
    );
    const twice = [columns[0], columns[0].map((v) => 2 * v + 1)];
    expect(() => linearRegression({ y: [1, 2, 3, 4], columns: twice, cluster: [0, 1, 2, 3] })).toThrow("column 2");
    expect(() => linearRegression({ y: [1, 2, 3, 4], columns, cluster: [0, 0, 0, 0] })).toThrow("too few clusters");
    expect(() => linearRegression({ y: [1, 2], columns: [[0, 1]], cluster: [0, 1] })).toThrow("at least 3");
  });

  it("of what a column says beyond the others gives the same coefficient", () => {
    const rest = partialColumn(x1, [x2]);
    const slope = rest.reduce((sum, r, i) => sum + r * y[i], 0) / rest.reduce((sum, r) => sum + r * r, 0);
    expect(slope).toBeCloseTo(R.clustered.coef[1], 12);
  });
});

describe("the hierarchical bootstrap", () => {
  const single = R.bootstrap.x.map((value) => [[value]]);
  const plain = { value: ([mean]: Float64Array) => mean };

  it("of blocks of one sample is the ordinary one, as R's boot", () => {
    const { value, percentile, bca } = hierarchicalBootstrap(single, { ...plain, draws: 100_000, seed: 1 });
    expect(value).toBeCloseTo(R.bootstrap.mean, 14);
    const { tolerance } = R.bootstrap;
    for (const [i, end] of percentile.entries())
      expect(Math.abs(end - R.bootstrap.percentile[i])).toBeLessThan(tolerance);
    for (const [i, end] of bca.entries()) expect(Math.abs(end - R.bootstrap.bca[i])).toBeLessThan(tolerance);
    expectClose([acceleration(R.bootstrap.x)], [R.bootstrap.acceleration]);
  });

  it("has the variance of both levels: between blocks over k, and within over k n", () => {
    const blocks = [0, 1, 2, 3].map((shift) => [[shift - 1, shift + 1, shift - 1, shift + 1]]);
    const { error } = hierarchicalBootstrap(blocks, { ...plain, draws: 40_000 });
    // Between: 1.25 / 4. Within: 1 / (4 * 4).
    expect(error ** 2).toBeCloseTo(1.25 / 4 + 1 / 16, 2);
  });

  it("keeps pairs: conditions that differ by a constant differ by it in every draw", () => {
    const blocks = [1, 2, 3].map((seed) => {
      const a = normal({ seed, sample: 0, purpose: "test", step: 0 }, 40);
      return [a, a.map((value) => value - 0.25)];
    });
    const { percentile, error } = hierarchicalBootstrap(blocks, { value: ([a, b]) => a - b, draws: 500 });
    expectClose([...percentile], [0.25, 0.25], 1e-6);
    expect(error).toBeLessThan(1e-6);
  });

  it("depends on its seed alone, and more draws begin with the same draws", () => {
    const of = (seed: number, draws: number) => hierarchicalBootstrap(single, { ...plain, draws, seed });
    expect(of(5, 300)).toEqual(of(5, 300));
    expect(of(5, 300).bca).not.toEqual(of(6, 300).bca);
  });

  it("does 10 000 draws of 18 blocks with 500 pairs in less than 2 s of processor time", () => {
    const blocks = Array.from({ length: 18 }, (_, i) => {
      const values = normal({ seed: 9, sample: i, purpose: "test", step: 0 }, 1000);
      return [values.slice(0, 500), values.slice(500)];
    });
    const start = process.cpuUsage();
    hierarchicalBootstrap(blocks, { value: ([a, b]) => a - b });
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(2);
  });

  it("refuses no blocks and conditions of different lengths", () => {
    expect(() => hierarchicalBootstrap([], plain)).toThrow("no block or no condition");
    expect(() => hierarchicalBootstrap([[[1, 2]], [[1], [2]]], plain)).toThrow("block 1");
  });
});

it("kappa equals R's, is 1 for full agreement and 0 for chance", () => {
  expectClose([cohenKappa(R.kappa.table)], [R.kappa.kappa]);
  expect(
    cohenKappa([
      [3, 0],
      [0, 4],
    ]),
  ).toBe(1);
  expect(
    cohenKappa([
      [4, 2],
      [2, 1],
    ]),
  ).toBeCloseTo(0, 15);
  expect(() => cohenKappa([[1, 2]])).toThrow("statistics/value");
  expect(() => cohenKappa([[0]])).toThrow("statistics/value");
});

describe("power over blocks", () => {
  it("without an effect is the level of the tests", () => {
    const { t, signFlip: flips } = powerOverBlocks({ blocks: 10, effect: 0, spread: 1, draws: 4000 });
    // One side of a two-sided 5 % test: 2.5 %, and the Monte Carlo error is 0.25 %.
    expect(t).toBeGreaterThan(0.0175);
    expect(t).toBeLessThan(0.0325);
    expect(flips).toBeGreaterThan(0.0165);
    expect(flips).toBeLessThan(0.0325);
  });

  it("of 18 and 6 blocks is what the protocol plans with, at 4.7 points and 5 points of spread", () => {
    const plan = { effect: 0.047, spread: 0.05, draws: 4000 };
    const [many, few] = [powerOverBlocks({ ...plan, blocks: 18 }), powerOverBlocks({ ...plan, blocks: 6 })];
    expect(many.signFlip).toBeCloseTo(0.95, 1);
    // All six signs must agree: Phi(0.94)^6 = 0.319.
    expect(few.signFlip).toBeCloseTo(0.319, 1);
    expect(few.t).toBeGreaterThan(few.signFlip);
    expect(few.t).toBeLessThan(0.58);
    expect(few.error).toBeLessThan(0.01);
  });

  it("does not depend on the sign of the effect, and falls with the noise of samples", () => {
    const plan = { blocks: 12, effect: 0.05, spread: 0.05, draws: 1000 };
    expect(powerOverBlocks({ ...plan, effect: -0.05 })).toEqual(powerOverBlocks(plan));
    expect(powerOverBlocks({ ...plan, samples: 20, sampleVariance: 0.2 }).t).toBeLessThan(powerOverBlocks(plan).t);
    expect(() => powerOverBlocks({ ...plan, blocks: 1 })).toThrow("statistics/value");
  });
});
