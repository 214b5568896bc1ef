/** Learning rates against closed forms and against PyTorch 1.13, run once with
 *    o = SGD([p], lr=0.1)
 *    OneCycleLR(o, max_lr=0.1, total_steps=20, pct_start=0.3, anneal_strategy=A, div_factor=25, final_div_factor=1e4)
 *    CosineAnnealingLR(o, T_max=8); MultiStepLR(o, milestones=[7, 12, 17], gamma=0.1)
 *  and o.param_groups[0]["lr"] read before each step. Of OneCycleLR, the rise is from A="linear", the fall from A="cos". */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ScheduleConfig } from "../../src/training/recipe/config.js";
import { learningRate } from "../../src/training/recipe/schedules.js";

const curve = (schedule: ScheduleConfig, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => learningRate(schedule, step, steps));

const expectCurve = (got: readonly number[], want: readonly number[]): void => {
  expect(got).toHaveLength(want.length);
  got.forEach((rate, step) => expect(Math.abs(rate - want[step]), `step ${step}`).toBeLessThan(1e-15));
};

test("a constant rate is the peak at every step", () => {
  expect(curve({ kind: "constant", peak: 0.05 }, 3)).toEqual([0.05, 0.05, 0.05]);
});

describe("one cycle", () => {
  const oneCycle = { kind: "one-cycle", peak: 0.1, warmup: 0.3, divisor: 25, finalDivisor: 1e4 } as const;

  test("rises as PyTorch's linear form and falls as its cosine form", () => {
    const rise = [0.004, 0.0232, 0.0424, 0.0616, 0.0808, 0.1];
    const fall = [
      0.09874640062350874, 0.09504846320134738, 0.089091617757105, 0.0811745653949763, 0.07169430017913009,
      0.06112620219362893, 0.0500002, 0.03887419780637107, 0.028306099820869922, 0.0188258346050237,
      0.010908782242895003, 0.004951936798652629, 0.0012539993764912555, 4e-7,
    ];
    expectCurve(curve(oneCycle, 20), [...rise, ...fall]);
  });

  test("starts at peak / divisor and ends at peak / divisor / finalDivisor", () => {
    const rates = curve({ ...oneCycle, divisor: 10, finalDivisor: 100 }, 57);
    expect(rates[0]).toBeCloseTo(0.01, 15);
    expect(rates[56]).toBeCloseTo(0.0001, 15);
  });

  test.each([0, 0.01, 0.5, 1])("has no gap for a rise over %d of the run, however short the run", (warmup) => {
    for (const steps of [1, 2, 3, 100]) {
      const rates = curve({ ...oneCycle, warmup }, steps);
      for (const rate of rates) expect(rate).toBeGreaterThan(0);
      expect(Math.max(...rates)).toBeLessThanOrEqual(0.1);
    }
    expect(Math.max(...curve({ ...oneCycle, warmup }, 100))).toBeCloseTo(0.1, 12);
  });
});

describe("cosine", () => {
  test("without a rise is PyTorch's CosineAnnealingLR", () => {
    expectCurve(
      curve({ kind: "cosine", peak: 0.1, warmup: 0 }, 8),
      [
        0.1, 0.09619397662556434, 0.08535533905932738, 0.0691341716182545, 0.05, 0.030865828381745515,
        0.014644660940672627, 0.0038060233744356634,
      ],
    );
  });

  test("rises in equal steps from above 0, and its half cosine starts at the peak", () => {
    expectCurve(
      curve({ kind: "cosine", peak: 1, warmup: 0.3 }, 10),
      [1 / 4, 2 / 4, 3 / 4, 0, 1, 2, 3, 4, 5, 6].map((v, i) => (i < 3 ? v : (1 + Math.cos((Math.PI * v) / 7)) / 2)),
    );
  });
});

describe("multi-step", () => {
  const shares = { kind: "multi-step", peak: 0.1, factor: 0.1 } as const;

  test("with milestones at 35, 60 and 85 % is PyTorch's MultiStepLR", () => {
    expectCurve(curve({ ...shares, milestones: [0.35, 0.6, 0.85] }, 20), [
      ...new Array<number>(7).fill(0.1),
      ...new Array<number>(5).fill(0.01),
      ...new Array<number>(5).fill(0.001),
      ...new Array<number>(3).fill(0.0001),
    ]);
  });

  test("a milestone falls on its whole step, though 0.07 * 100 is more than 7 in floating point", () => {
    expect(learningRate({ ...shares, milestones: [0.07] }, 6, 100)).toBe(0.1);
    expect(learningRate({ ...shares, milestones: [0.07] }, 7, 100)).toBeCloseTo(0.01, 15);
  });
});

test("no schedule leaves (0, peak]", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const schedule: fc.Arbitrary<ScheduleConfig> = fc.oneof(
    share.map((warmup) => ({ kind: "one-cycle", peak: 0.1, warmup, divisor: 25, finalDivisor: 1e4 }) as const),
    share.map((warmup) => ({ kind: "cosine", peak: 0.1, warmup }) as const),
    fc.array(share).map((milestones) => ({ kind: "multi-step", peak: 0.1, milestones, factor: 0.5 }) as const),
  );
  fc.assert(
    fc.property(schedule, fc.integer({ min: 1, max: 500 }), share, (config, steps, at) => {
      const rate = learningRate(config, Math.min(steps - 1, Math.floor(at * steps)), steps);
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThanOrEqual(0.1 * (1 + 1e-12));
    }),
  );
});
