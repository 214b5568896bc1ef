import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { costRelation, costsByAnswer, crossEntropyOf, quarters, trueMargin } from "../../src/measures/difficulty.js";
import {
  type Bits,
  dynamicShare,
  executedBlocks,
  gatesByClass,
  isDynamic,
  openGates,
  pathEntropy,
} from "../../src/measures/gates.js";

const PATHS: readonly Bits[] = [
  [1, 0, undefined],
  [1, 1, 1],
  [1, 0, 0],
  [1, 1, 0],
];

describe("blocks that ran", () => {
  it("count open gates alone, not closed ones and not those that a sample does not meet", () => {
    expect(openGates(PATHS)).toEqual([1, 3, 1, 2]);
    const { counts, mean, sd, p95 } = executedBlocks(PATHS, 3);
    expect(counts).toEqual([0, 2, 1, 1]);
    expect(mean).toBe(7 / 4);
    expect(sd).toBeCloseTo(Math.sqrt((2 * 0.75 ** 2 + 1.25 ** 2 + 0.25 ** 2) / 3), 12);
    expect(p95).toBeCloseTo(2 + 0.85, 12);
  });

  it("have no spread for one sample", () => {
    expect(executedBlocks([[1, 0]], 2)).toEqual({ counts: [0, 1, 0], mean: 1, sd: 0, p95: 1 });
  });
});

describe("gates by class", () => {
  it("weighted by samples, give the rates of all samples", () => {
    const bits = fc.array(fc.constantFrom(0 as const, 1 as const), { minLength: 3, maxLength: 3 });
    const sample = fc.record({ bits, label: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
        const all = samples.map((s) => s.bits);
        const classes = gatesByClass(
          all,
          samples.map((s) => s.label),
        );
        for (const gate of [0, 1, 2]) {
          const open = classes.reduce((sum, one) => sum + (one.openRates[gate] ?? Number.NaN) * one.samples, 0);
          expect(open).toBeCloseTo(all.filter((one) => one[gate] === 1).length, 9);
        }
        expect(classes.map((one) => one.label)).toEqual([...new Set(samples.map((s) => s.label))].sort());
      }),
    );
  });

  it("a gate that no sample of a class meets has no rate there", () => {
    expect(gatesByClass(PATHS, [5, 2, 2, 2])).toEqual([
      { label: 2, samples: 3, openRates: [1, 2 / 3, 1 / 3], meanBlocks: 2 },
      { label: 5, samples: 1, openRates: [1, 0, null], meanBlocks: 1 },
    ]);
  });
});

describe("variety", () => {
  it("a gate decides between the two rates alone", () => {
    expect([0.02, 0.0201, 0.9799, 0.98, 0, 1, null].map(isDynamic)).toEqual([
      ...[false, true, true, false],
      ...[false, false, false],
    ]);
    expect(dynamicShare([0.5, 1, null, 0.3])).toBe(0.5);
  });

  it("entropy is 0 for one path, and the logarithm of n for n equally frequent ones", () => {
    expect(Object.is(pathEntropy(["a", "a"]), 0)).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 4 }), (n, times) => {
        const paths = Array.from({ length: n * times }, (_, i) => `${i % n}`);
        expect(pathEntropy(paths)).toBeCloseTo(Math.log2(n), 10);
      }),
    );
    expect(pathEntropy(["a", "a", "a", "b"])).toBeCloseTo(0.8112781244591328, 12);
  });
});

describe("difficulty", () => {
  it("the margin and the cross-entropy are those of the true class", () => {
    expect(trueMargin([1, 5, 2], 1)).toBe(3);
    expect(trueMargin([1, 5, 2], 0)).toBe(-4);
    const p = Math.exp(2) / (Math.exp(1) + Math.exp(5) + Math.exp(2));
    expect(crossEntropyOf([1, 5, 2], 2)).toBeCloseTo(-Math.log(p), 12);
    expect(crossEntropyOf([1000, 0], 1)).toBe(1000);
  });

  const noise = (n: number, step: number) => [...uniform({ seed: 1, sample: 0, purpose: "test", step }, n)];

  it("costs that rise with difficulty have the correlation 1, and unrelated ones an interval around 0", () => {
    const hard = noise(400, 0);
    expect(
      costRelation(
        hard.map((d) => 0.3 + d ** 3 / 2),
        hard,
      ),
    ).toEqual({ value: 1, low: 1, high: 1 });
    const none = costRelation(noise(400, 1), hard);
    expect(none?.low).toBeLessThan(0);
    expect(none?.high).toBeGreaterThan(0);
  });

  it("a cost that does not vary has no correlation", () => {
    expect(costRelation(new Array(20).fill(0.5), noise(20, 0))).toBeNull();
    expect(costRelation([1, 2, 3], [1, 2, 3])).toBeNull();
  });

  it("quarters hold every sample once, the easiest first", () => {
    const difficulty = [3, 1, 2, 9, 8, 7, 5, 6, 4];
    const groups = quarters(
      difficulty.map((d) => d / 10),
      difficulty,
      difficulty.map((d) => d < 5),
    );
    expect(groups.map((g) => g.samples)).toEqual([2, 3, 2, 2]);
    [0.15, 0.4, 0.65, 0.85].forEach((cost, k) => {
      expect(groups[k].meanCostFraction).toBeCloseTo(cost, 12);
    });
    expect(groups.map((g) => g.accuracy)).toEqual([1, 2 / 3, 0, 0]);
    expect(quarters([1, 2, 3], [1, 2, 3], [true, true, true])).toEqual([]);
  });
});

describe("costs of answers", () => {
  it("are means over right and over wrong answers, and few answers have no interval", () => {
    const { right, wrong, difference } = costsByAnswer([0.2, 0.4, 0.9], [true, true, false]);
    expect([right, wrong, difference]).toEqual([expect.closeTo(0.3, 12), 0.9, null]);
    expect(costsByAnswer([0.2], [true])).toEqual({ right: 0.2, wrong: null, difference: null });
  });

  it("the interval of the difference is about that of two independent means", () => {
    const n = 600;
    const [cost, coin] = [0, 1].map((step) => [...uniform({ seed: 4, sample: 0, purpose: "test", step }, n)]) as [
      number[],
      number[],
    ];
    const right = coin.map((c) => c < 0.8);
    const costs = cost.map((c, i) => (right[i] ? 0.5 * c : 0.1 + 0.5 * c));
    const { right: r, wrong: w, difference } = costsByAnswer(costs, right);
    expect(difference?.value).toBeCloseTo((w ?? 0) - (r ?? 0), 12);
    const variance = (is: boolean) => {
      const own = costs.filter((_, i) => right[i] === is);
      const mean = own.reduce((a, b) => a + b, 0) / own.length;
      return own.reduce((sum, c) => sum + (c - mean) ** 2, 0) / (own.length - 1) / own.length;
    };
    const half = 1.96 * Math.sqrt(variance(true) + variance(false));
    const { value = 0, low = 0, high = 0 } = difference ?? {};
    expect((high - low) / (2 * half)).toBeGreaterThan(0.9);
    expect((high - low) / (2 * half)).toBeLessThan(1.1);
    expect(low).toBeLessThan(value);
    expect(low).toBeGreaterThan(0);
  });
});
