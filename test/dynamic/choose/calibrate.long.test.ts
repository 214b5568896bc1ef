import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import {
  calibrate,
  type Measured,
  operatingPoints,
  paretoFront,
  type WorstBounds,
} from "../../../src/dynamic/choose/calibrate.js";
import { route } from "../../../src/dynamic/route/route.js";
import { type Fallback, type Policy, type Rule, uniformPolicy } from "../../../src/schema/policy.js";
import type { CalibrationTarget } from "../../../src/schema/target.js";
import { failure } from "../../support/failure.js";

const COSTS = [0.2, 0.5, 1];

/** Small random validation splits: three exits, three classes, few different logits. */
const split: fc.Arbitrary<Measured> = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.record({
    labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: n, maxLength: n }),
    logits: fc
      .array(
        fc
          .array(fc.integer({ min: -3, max: 3 }), { minLength: 3 * n, maxLength: 3 * n })
          .map((values) => Float32Array.from(values)),
        { minLength: 3, maxLength: 3 },
      )
      .map((exits) => new Logits(exits, 3)),
  }),
);

/** Accuracy and mean cost of a policy, by routing. */
function measure({ logits, labels }: Measured, policy: Policy) {
  const routed = route(logits, policy);
  return {
    accuracy: routed.filter((r, i) => r.label === labels[i]).length / routed.length,
    cost: routed.reduce((sum, r) => sum + COSTS[r.stop], 0) / routed.length,
  };
}

/** Thresholds on both sides of every confidence that these logits can give (they are differences of integers up to 6). */
function allThresholds(rule: Rule): number[] {
  if (rule === "patience") return [1, 2, 3, 4];
  const steps = Array.from({ length: 1001 }, (_, i) => -0.05 + (i / 1000) * 1.25);
  return [...steps, 2];
}

const rules = fc.constantFrom<Rule>("max-softmax", "entropy", "margin", "patience");
const fallbacks = fc.constantFrom<Fallback>("final", "most-confident");

const finalAccuracy = ({ logits, labels }: Measured): number => {
  const right = Array.from(labels).filter((label, i) => {
    const row = Array.from(logits.row(2, i));
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / labels.length;
};

describe("against brute force over a fine grid of thresholds", () => {
  test("rad: the point keeps its accuracy, and no threshold that does is cheaper", () => {
    fc.assert(
      fc.property(split, rules, fc.constantFrom(0, 0.05, 0.15, 0.5), (validation, rule, loss) => {
        const target: CalibrationTarget = { kind: "rad", loss };
        const { policy, point } = calibrate(validation, { rule, fallback: "final", target, costs: COSTS });
        const wanted = (1 - loss) * finalAccuracy(validation) - 1e-9;
        const measured = measure(validation, policy);
        expect(measured.accuracy).toBe(point.accuracy);
        expect(measured.cost).toBeCloseTo(point.cost, 12);
        expect(point.accuracy).toBeGreaterThanOrEqual(wanted);
        for (const t of allThresholds(rule)) {
          const other = measure(validation, uniformPolicy(rule, "final", t, 3));
          if (other.accuracy >= wanted) expect(other.cost).toBeGreaterThanOrEqual(point.cost - 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("budget: the point keeps its cost, and no threshold that does is more accurate", () => {
    fc.assert(
      fc.property(split, rules, fallbacks, fc.constantFrom(0.2, 0.5, 0.75, 1), (validation, rule, fallback, cost) => {
        const target: CalibrationTarget = { kind: "budget", cost };
        const { policy, point } = calibrate(validation, { rule, fallback, target, costs: COSTS });
        expect(measure(validation, policy).accuracy).toBe(point.accuracy);
        expect(point.cost).toBeLessThanOrEqual(cost + 1e-9);
        for (const t of allThresholds(rule)) {
          const other = measure(validation, uniformPolicy(rule, fallback, t, 3));
          if (other.cost <= cost) expect(other.accuracy).toBeLessThanOrEqual(point.accuracy);
        }
      }),
      { numRuns: 30 },
    );
  });
});

test("operating points run over every confidence seen, the last one never leaving early", () => {
  fc.assert(
    fc.property(split, rules, fallbacks, (validation, rule, fallback) => {
      const points = operatingPoints(validation, { rule, fallback, costs: COSTS });
      expect(points.at(-1)?.cost).toBeCloseTo(1, 12);
      expect(Math.min(...points.map((p) => p.cost))).toBeCloseTo(0.2, 12);
    }),
  );
});

test("many confidences are thinned out, and both ends stay", () => {
  const n = 2000;
  const exits = [1, 2].map((k) => Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 0 : (k * i) / n)));
  const validation = { logits: new Logits(exits, 2), labels: new Uint8Array(n) };
  const points = operatingPoints(validation, { rule: "max-softmax", fallback: "final", costs: [0.4, 1] });
  expect(points.length).toBe(501);
  expect([points[0]?.cost, points.at(-1)?.cost]).toEqual([expect.closeTo(0.4, 12), expect.closeTo(1, 12)]);
});

test("costs may be milliseconds: a latency is a budget in another unit", () => {
  fc.assert(
    fc.property(split, rules, fallbacks, fc.constantFrom(0.2, 0.5, 0.75, 1), (validation, rule, fallback, cost) => {
      const inTime = COSTS.map((c) => 8 * c);
      const target: CalibrationTarget = { kind: "latency", milliseconds: 8 * cost };
      const timed = calibrate(validation, { rule, fallback, target, costs: inTime });
      const counted = calibrate(validation, { rule, fallback, target: { kind: "budget", cost }, costs: COSTS });
      expect(timed.policy).toEqual(counted.policy);
      expect(timed.point.cost).toBeCloseTo(8 * counted.point.cost, 12);
    }),
  );
});

test("the curve of uniform thresholds is what no operating point beats", () => {
  fc.assert(
    fc.property(split, rules, fallbacks, (validation, rule, fallback) => {
      const request = { rule, fallback, costs: COSTS } as const;
      const points = operatingPoints(validation, request);
      const { uniform, perExit } = calibrate(validation, { ...request, target: { kind: "budget", cost: 1 } });
      expect(perExit).toEqual([]);
      expect(uniform).toEqual(paretoFront(points));
      for (const p of points) expect(uniform.some((q) => q.cost <= p.cost && q.accuracy >= p.accuracy)).toBe(true);
      for (const [i, p] of uniform.slice(1).entries()) {
        expect(p.cost).toBeGreaterThan(uniform[i].cost);
        expect(p.accuracy).toBeGreaterThan(uniform[i].accuracy);
      }
    }),
  );
});

describe("temperatures", () => {
  test("are part of the policy, and confidences are read under them", () => {
    fc.assert(
      fc.property(split, fallbacks, fc.constantFrom(0.3, 0.6), (validation, fallback, cost) => {
        const temperatures = [3, 0.5, 2];
        const target: CalibrationTarget = { kind: "budget", cost };
        const request = { rule: "max-softmax", fallback, temperatures, target, costs: COSTS } as const;
        const { policy, point } = calibrate(validation, request);
        expect(policy.temperatures).toEqual(temperatures);
        expect(measure(validation, policy).accuracy).toBe(point.accuracy);
        expect(measure(validation, policy).cost).toBeCloseTo(point.cost, 12);
      }),
    );
  });
});

describe("under attack", () => {
  const worst = (attacked: readonly Measured[], bounds: WorstBounds) => ({ worstCase: { attacked, ...bounds } });
  const target: CalibrationTarget = { kind: "rad", loss: 0.5 };
  const bounds = fc.constantFrom<WorstBounds>(
    { maxCost: 0.3 },
    { maxCost: 0.6 },
    { maxCost: 0.9 },
    { minAccuracy: 0.3 },
    { minAccuracy: 0.6 },
    { maxCost: 0.8, minAccuracy: 0.4 },
  );

  test("mean cost and accuracy over every set of attacked samples keep their bounds, or the call is refused", () => {
    fc.assert(
      fc.property(
        split,
        fc.array(split, { minLength: 1, maxLength: 2 }),
        rules,
        fc.constantFrom<"uniform" | "per-exit">("uniform", "per-exit"),
        bounds,
        (validation, attacked, rule, thresholds, asked) => {
          fc.pre(rule !== "patience" || thresholds === "uniform");
          const { maxCost = 1, minAccuracy = 0 } = asked;
          const request = { rule, fallback: "final", target, costs: COSTS, thresholds } as const;
          try {
            const { policy, point } = calibrate(validation, { ...request, ...worst(attacked, asked) });
            const sets = attacked.map((set) => measure(set, policy));
            const [cost, accuracy] = [Math.max(...sets.map((s) => s.cost)), Math.min(...sets.map((s) => s.accuracy))];
            expect(cost).toBeLessThanOrEqual(maxCost + 1e-9);
            expect(accuracy).toBeGreaterThanOrEqual(minAccuracy - 1e-9);
            expect(point.worstCost).toBeCloseTo(cost, 12);
            expect(point.worstAccuracy).toBe(accuracy);
            expect(measure(validation, policy).accuracy).toBeGreaterThanOrEqual(0.5 * finalAccuracy(validation) - 1e-9);
          } catch (error) {
            expect(String(error)).toContain("under attack");
            // No uniform threshold keeps all, or dynn would have found it.
            for (const t of allThresholds(rule)) {
              const other = uniformPolicy(rule, "final", t, 3);
              const kept =
                attacked.every((set) => {
                  const { cost, accuracy } = measure(set, other);
                  return cost <= maxCost && accuracy >= minAccuracy;
                }) && measure(validation, other).accuracy >= 0.5 * finalAccuracy(validation);
              expect(kept).toBe(false);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  /** Two classes, all of label 0: an exit's margin is positive where it is right, and as large as it is sure. */
  const binary = (...exits: readonly (readonly number[])[]): Measured => ({
    logits: new Logits(
      exits.map((margins) => Float32Array.from(margins.flatMap((m) => [m, 0]))),
      2,
    ),
    labels: new Uint8Array(exits[0]?.length ?? 0),
  });
  const counted = (n: number, of: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => of(i));

  // 400 clean samples, all right at both exits. Of 200 attacked ones, ever surer, the early exit gets the last 150 right, the final exit three
  // of four. When those from number k <= 50 on leave early, these 150 and 3 k / 4 of the others are right: 90 % from k = 40 on.
  const clean = binary(
    counted(400, (i) => (i + 1) / 100),
    counted(400, () => 5),
  );
  const attacked = binary(
    counted(200, (i) => ((i < 50 ? -1 : 1) * (2 * i + 1)) / 100),
    counted(200, (i) => (i % 4 === 0 ? -5 : 5)),
  );
  const common = { rule: "max-softmax", fallback: "final", target, costs: [0.4, 1] } as const;
  const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));

  test.each(["uniform", "per-exit"] as const)("the cheapest threshold is where counting puts it: %s", (thresholds) => {
    const free = calibrate(clean, { ...common, thresholds, ...worst([attacked], {}) }).point;
    expect(free).toMatchObject({ cost: expect.closeTo(0.4, 12), worstAccuracy: 150 / 200 });
    const { point } = calibrate(clean, { ...common, thresholds, ...worst([attacked], { minAccuracy: 0.9 }) });
    expect(point.worstAccuracy).toBe(180 / 200);
    expect(point.worstCost).toBeCloseTo(1 - 0.6 * (160 / 200), 12);
    expect(point.thresholds).toEqual([expect.closeTo(sigmoid(0.8), 6)]);
    expect(point.cost).toBeCloseTo(1 - 0.6 * (321 / 400), 12);
  });

  test("an exit that attacks make surely wrong is closed, and one that they do not stays open", () => {
    const fine = counted(300, () => 3);
    const data = binary(
      counted(300, (i) => (i + 1) / 75),
      fine,
      fine,
    );
    const under = binary(
      counted(100, () => -9),
      counted(100, () => 3),
      counted(100, () => 3),
    );
    const request = { ...common, costs: COSTS, ...worst([under], { minAccuracy: 1 }) };
    expect(calibrate(data, request).point).toMatchObject({ thresholds: [2, 2], worstAccuracy: 1 });
    const { point } = calibrate(data, { ...request, thresholds: "per-exit" });
    expect(point).toMatchObject({ thresholds: [2, expect.closeTo(sigmoid(3), 6)], cost: expect.closeTo(0.5, 12) });
  });

  test.each([
    [
      { maxCost: 0.3 },
      "the mean cost under attack at 30.0 % of the full network beside its target; the least is 40.0 %. Allow a larger cost under attack, or a weaker target.",
    ],
    [
      { minAccuracy: 0.95 },
      "the accuracy under attack at 95.0 % beside its target; the best is 93.5 %. Allow a lower accuracy under attack, or a weaker target.",
    ],
    [
      { maxCost: 0.5, minAccuracy: 0.9 },
      "the mean cost under attack at 50.0 % of the full network and the accuracy under attack at 90.0 % beside its target; the least is 40.0 % and the best is 93.5 %, each by itself. Allow a larger cost under attack and a lower accuracy under attack, or a weaker target.",
    ],
  ])("bounds %j that nothing keeps are refused with the best there is", (asked, text) => {
    expect(() => calibrate(clean, { ...common, ...worst([attacked], asked) })).toThrow(
      failure("policy/validation", `calibration: no threshold of rule max-softmax keeps ${text}`),
    );
  });
});

describe("failures", () => {
  const two = (early: readonly number[], final: readonly number[]): Measured => ({
    logits: new Logits([Float32Array.from(early), Float32Array.from(final)], 2),
    labels: [0, 1],
  });
  const expectFailure = (text: string, target: CalibrationTarget, validation: Measured, fallback: Fallback = "final") =>
    expect(() => calibrate(validation, { rule: "max-softmax", fallback, target, costs: [0.4, 1] })).toThrow(
      failure("policy/validation", text),
    );

  test("an empty split", () => {
    const empty = { logits: new Logits([new Float32Array(), new Float32Array()], 2), labels: [] };
    expectFailure(
      "calibration: the validation split is empty. Report fewer samples, or give validation data.",
      { kind: "rad", loss: 0.05 },
      empty,
    );
  });

  test("a budget below the first exit's cost", () => {
    expectFailure(
      "calibration: no threshold of rule max-softmax keeps the mean cost at 30.0 % of the full network; the cheapest path costs 40.0 %. Allow a larger budget.",
      { kind: "budget", cost: 0.3 },
      two([1, 0, 0, 1], [1, 0, 0, 1]),
    );
  });

  test("a time below the first exit's", () => {
    const validation = two([1, 0, 0, 1], [1, 0, 0, 1]);
    const target: CalibrationTarget = { kind: "latency", milliseconds: 1.5 };
    expect(() => calibrate(validation, { rule: "entropy", fallback: "final", target, costs: [2, 5] })).toThrow(
      failure(
        "policy/validation",
        "calibration: no threshold of rule entropy keeps the mean time at 1.5 ms; the cheapest path takes 2 ms. Allow more time.",
      ),
    );
  });

  test("thresholds per exit for patience, which has one number", () => {
    const validation = two([1, 0, 0, 1], [1, 0, 0, 1]);
    const target: CalibrationTarget = { kind: "rad", loss: 0.5 };
    expect(() =>
      calibrate(validation, { rule: "patience", fallback: "final", target, costs: [0.4, 1], thresholds: "per-exit" }),
    ).toThrow(
      failure(
        "policy/value",
        "calibration: rule patience has one number for all exits, so there are no thresholds per exit. Choose uniform thresholds, or another rule.",
      ),
    );
  });

  test("an accuracy that the fallback most-confident never reaches", () => {
    expectFailure(
      "calibration: no threshold of rule max-softmax keeps 95.0 % of the final exit's accuracy; the best reaches 0.0 % accuracy. Allow a larger loss, or use the fallback final.",
      { kind: "rad", loss: 0.05 },
      two([0, 9, 9, 0], [1, 0, 0, 1]),
      "most-confident",
    );
  });
});
