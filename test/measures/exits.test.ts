import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confusion, confusionByAnswer, zScores } from "../../src/measures/confusion.js";
import { costLevels, exitHistogram, meanCostFraction, openRates } from "../../src/measures/cost.js";
import { eec, efficacyStep, efficacyTrapezoid } from "../../src/measures/eec.js";
import { overthinking, underthinking } from "../../src/measures/overthinking.js";

describe("exit histogram and mean cost", () => {
  it("count where the work stops and average what it costs", () => {
    const stops = Int32Array.of(0, 2, 2, 1);
    expect(exitHistogram(stops, 4)).toEqual([1, 1, 2, 0]);
    expect(meanCostFraction(Array.from(stops, (stop) => [0.1, 0.4, 0.7, 1][stop]))).toBeCloseTo(
      (0.1 + 0.4 + 0.7 + 0.7) / 4,
      14,
    );
    expect(meanCostFraction([])).toBe(0);
  });

  it("refuse an exit that does not exist", () => {
    expect(() => exitHistogram(Int32Array.of(4), 4)).toThrow("bug: a sample stops at exit 4 of 4");
  });
});

describe("costs of paths", () => {
  it("the costs of exits stand among the levels, with the samples of each cost", () => {
    expect(costLevels([0.5, 0.25, 0.5], [0.4, 1])).toEqual({ counts: [1, 0, 2, 0], costs: [0.25, 0.4, 0.5, 1] });
  });

  it("give the saved share as the area of the step curve, whatever the paths", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1 }), (shares) => {
        const { counts, costs } = costLevels(shares, [1]);
        expect(efficacyStep(counts, costs)).toBeCloseTo(1 - meanCostFraction(shares), 10);
      }),
    );
  });

  it("a gate's open rate counts the samples that meet it", () => {
    expect(
      openRates([
        [1, 0, undefined],
        [1, undefined, undefined],
        [0, 1, undefined],
        [1, undefined, undefined],
      ]),
    ).toEqual([0.75, 0.5, null]);
    expect(openRates([])).toEqual([]);
  });
});

describe("EEC", () => {
  it("starts at nothing gone for nothing paid and ends with all gone at full cost", () => {
    expect(eec([5, 3, 2], [0.2, 0.6, 1])).toEqual([
      { costFraction: 0, gone: 0 },
      { costFraction: 0.2, gone: 0.5 },
      { costFraction: 0.6, gone: 0.8 },
      { costFraction: 1, gone: 1 },
    ]);
  });

  it("has DeepSloth's trapezoid area", () => {
    // numpy.trapz([0, .5, .8, 1], x=[0, .2, .6, 1]) = 0.05 + 0.26 + 0.36
    expect(efficacyTrapezoid([5, 3, 2], [0.2, 0.6, 1])).toBeCloseTo(0.67, 14);
  });

  it("of one exit has trapezoid 0.5, the diagonal, and step 0: nothing is saved", () => {
    expect(efficacyTrapezoid([7], [1])).toBe(0.5);
    expect(efficacyStep([7], [1])).toBe(0);
  });

  it("when nobody leaves early has the last segment's triangle as trapezoid and no step area", () => {
    expect(efficacyTrapezoid([0, 0, 9], [0.25, 0.5, 1])).toBe(0.25);
    expect(efficacyStep([0, 0, 9], [0.25, 0.5, 1])).toBe(0);
  });

  it("has step area 1 - mean cost fraction, never above the trapezoid", () => {
    const stopsAndGaps = fc
      .integer({ min: 1, max: 6 })
      .chain((exits) =>
        fc.tuple(
          fc.array(fc.integer({ min: 0, max: exits - 1 }), { minLength: 1, maxLength: 40 }),
          fc.array(fc.integer({ min: 1, max: 100 }), { minLength: exits, maxLength: exits }),
        ),
      );
    fc.assert(
      fc.property(stopsAndGaps, ([stops, gaps]) => {
        const full = gaps.reduce((a, b) => a + b);
        const costs = gaps.map((_, i) => gaps.slice(0, i + 1).reduce((a, b) => a + b) / full);
        const taken = Int32Array.from(stops);
        const counts = exitHistogram(taken, gaps.length);
        expect(efficacyStep(counts, costs)).toBeCloseTo(
          1 - meanCostFraction(Array.from(taken, (stop) => costs[stop])),
          12,
        );
        expect(efficacyTrapezoid(counts, costs)).toBeGreaterThanOrEqual(efficacyStep(counts, costs));
      }),
    );
  });

  it("refuses counts and costs of different exits", () => {
    expect(() => eec([1, 2], [1])).toThrow("bug: 2 exit counts for 1 costs");
  });
});

describe("overthinking", () => {
  it("calls work wasted when an earlier exit was right too, destructive when the final exit unlearns", () => {
    // sample:                       0  1  2  3  4
    const correct = [
      Uint8Array.of(1, 0, 1, 0, 1), // exit 0
      Uint8Array.of(1, 1, 0, 0, 0), // exit 1
      Uint8Array.of(1, 1, 0, 0, 1), // final
    ];
    // 0: wasteful (right at 0, takes 2); 1: takes the first right exit; 2: destructive; 3: never right;
    // 4: right at 0, takes 1 where it is wrong, right at the end: neither.
    expect(overthinking(correct, Int32Array.of(2, 1, 1, 2, 1))).toEqual({ wasteful: 1 / 5, destructive: 1 / 5 });
  });

  it("does not exist in a network with one exit, nor without samples", () => {
    expect(overthinking([Uint8Array.of(1, 0)], Int32Array.of(0, 0))).toEqual({ wasteful: 0, destructive: 0 });
    expect(overthinking([new Uint8Array(0)], new Int32Array(0))).toEqual({ wasteful: 0, destructive: 0 });
  });
});

describe("underthinking", () => {
  it("counts samples that stop at a wrong exit although the final exit is right", () => {
    // sample:                       0  1  2  3  4
    const correct = [
      Uint8Array.of(0, 1, 0, 0, 0), // exit 0
      Uint8Array.of(1, 0, 0, 1, 0), // exit 1
      Uint8Array.of(1, 1, 0, 0, 1), // final
    ];
    // 0: stops at 0, which is wrong; 1: stops at a right exit; 2: never right; 3: only the exit after the one taken
    // is right, and the final one is not; 4: goes to the end.
    expect(underthinking(correct, Int32Array.of(0, 0, 0, 0, 2))).toBe(1 / 5);
    expect(underthinking(correct, Int32Array.of(0, 1, 1, 0, 1))).toBe(3 / 5);
  });

  it("does not exist in a network with one exit, nor without samples", () => {
    expect(underthinking([Uint8Array.of(1, 0)], Int32Array.of(0, 0))).toBe(0);
    expect(underthinking([new Uint8Array(0)], new Int32Array(0))).toBe(0);
  });

  it("is what routing loses of the final exit's right answers", () => {
    const bits = fc.array(fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.nat(2)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(bits, (rows) => {
        const correct = [0, 1, 2].map((exit) => Uint8Array.from(rows, (row) => row[exit]));
        const stop = Int32Array.from(rows, (row) => row[3]);
        const count = (test: (row: (typeof rows)[number]) => boolean) => rows.filter(test).length;
        const routed = count((row) => row[row[3]] === 1);
        const gained = count((row) => row[row[3]] === 1 && row[2] === 0);
        const lost = (count((row) => row[2] === 1) + gained - routed) / rows.length;
        expect(underthinking(correct, stop)).toBeCloseTo(lost, 12);
      }),
    );
  });
});

describe("confusion", () => {
  it("is averaged over right and over wrong answers, in standard deviations", () => {
    const probabilities = [Float32Array.of(1, 0, 0.5, 0.5), Float32Array.of(0, 1, 0.5, 0.5)];
    expect(confusionByAnswer(probabilities, 2, Uint8Array.of(0, 1))).toEqual({ right: -1, wrong: 1 });
    expect(confusionByAnswer(probabilities, 2, Uint8Array.of(1, 1))).toEqual({ right: 0, wrong: null });
    expect(confusionByAnswer([new Float32Array(0)], 2, new Uint8Array(0))).toEqual({ right: null, wrong: null });
  });

  it("adds the L1 distances of the exits to the final exit", () => {
    const probabilities = [
      Float32Array.of(1, 0, 0.5, 0.5),
      Float32Array.of(0.5, 0.5, 0.5, 0.5),
      Float32Array.of(0, 1, 0.5, 0.5),
    ];
    expect([...confusion(probabilities, 2)]).toEqual([3, 0]);
  });

  it("is z-scored against the reference's mean and population deviation", () => {
    expect([...zScores(Float64Array.of(1, 3))]).toEqual([-1, 1]);
    expect([...zScores(Float64Array.of(10), Float64Array.of(2, 4, 4, 4, 5, 5, 7, 9))]).toEqual([2.5]);
    expect([...zScores(Float64Array.of(4, 4))]).toEqual([0, 0]);
  });
});
