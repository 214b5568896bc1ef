/** @file Thresholds per exit against brute force over every combination of thresholds that can differ. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import { normal, uniform } from "../../../src/core/rng.js";
import { type CalibrationRequest, calibrate, type Measured } from "../../../src/dynamic/choose/calibrate.js";
import { readExits, scoreOf, stopOf } from "../../../src/dynamic/choose/readings.js";
import { makeProblem, outcomeOf, sweep } from "../../../src/dynamic/choose/sweep.js";
import { route } from "../../../src/dynamic/route/route.js";
import { NEVER_FIRES, RULES, uniformPolicy } from "../../../src/schema/policy.js";
import type { CalibrationTarget } from "../../../src/schema/target.js";
import { costsOf, everyPolicy, fallbacks, type Means, measure, scoredRules, splits } from "./support.js";

const targets: fc.Arbitrary<CalibrationTarget> = fc.oneof(
  fc.constantFrom(0, 0.1, 0.3).map((loss): CalibrationTarget => ({ kind: "rad", loss })),
  fc.constantFrom(0.5, 0.7, 0.9).map((cost): CalibrationTarget => ({ kind: "budget", cost })),
);

/** What the target asks for first: the smaller, the better. */
const price = (target: CalibrationTarget, { accuracy, cost }: Means): number =>
  target.kind === "rad" ? cost : -accuracy;

/** The best of all combinations, by the definition of the target; undefined when none reaches it. */
function bruteForce(data: Measured, request: CalibrationRequest): number | undefined {
  const { rule, fallback, target, costs } = request;
  const all = everyPolicy(data, rule, fallback, costs);
  const final = measure(data, uniformPolicy(rule, "final", NEVER_FIRES[rule], costs.length), costs).accuracy;
  const reached = all.filter((means) =>
    target.kind === "rad"
      ? means.accuracy >= (1 - target.loss) * final - 1e-9
      : means.cost <= (target as { cost: number }).cost + 1e-9,
  );
  return reached.length === 0 ? undefined : Math.min(...reached.map((means) => price(target, means)));
}

describe("thresholds per exit", () => {
  test("of two early exits are the optimum", () => {
    fc.assert(
      fc.property(splits(3, 7), scoredRules, fallbacks, targets, (data, rule, fallback, target) => {
        const request = { rule, fallback, target, costs: costsOf(3), thresholds: "per-exit" } as const;
        const optimum = bruteForce(data, request);
        fc.pre(optimum !== undefined);
        expect(price(target, calibrate(data, request).point)).toBeCloseTo(optimum, 9);
      }),
      { numRuns: 80 },
    );
  });

  test("of three early exits reach the target, cost no more than one for all, and seldom miss the optimum", () => {
    let [tried, missed] = [0, 0];
    fc.assert(
      fc.property(splits(4, 5), scoredRules, fallbacks, targets, (data, rule, fallback, target) => {
        const request = { rule, fallback, target, costs: costsOf(4) } as const;
        const optimum = bruteForce(data, request);
        fc.pre(optimum !== undefined);
        const { policy, point } = calibrate(data, { ...request, thresholds: "per-exit" });
        const found = price(target, point);
        expect(measure(data, policy, costsOf(4))).toEqual({
          accuracy: point.accuracy,
          cost: expect.closeTo(point.cost, 12),
        });
        expect(found).toBeGreaterThanOrEqual(optimum - 1e-9);
        tried++;
        if (found > optimum + 1e-9) missed++;
      }),
      { numRuns: 120, seed: 11 },
    );
    expect(missed / tried).toBeLessThan(0.05);
  });

  test("never do worse than the best uniform threshold, and reach what it reaches", () => {
    fc.assert(
      fc.property(splits(4, 30), scoredRules, fallbacks, targets, (data, rule, fallback, target) => {
        const request = { rule, fallback, target, costs: costsOf(4) } as const;
        let one: Means;
        try {
          one = calibrate(data, request).point;
        } catch {
          return;
        }
        const each = calibrate(data, { ...request, thresholds: "per-exit" });
        expect(price(target, each.point)).toBeLessThanOrEqual(price(target, one) + 1e-9);
        for (const p of each.uniform)
          expect(each.perExit.some((q) => q.cost <= p.cost + 1e-12 && q.accuracy >= p.accuracy - 1e-12)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("are the same when chosen again", () => {
    const data = overconfident(300);
    const request = {
      rule: "max-softmax",
      fallback: "final",
      target: { kind: "rad", loss: 0.02 },
      costs: [0.3, 0.6, 1],
      thresholds: "per-exit",
    } as const;
    expect(calibrate(data, request)).toEqual(calibrate(data, request));
  });

  test("save where one exit is sure of what it gets wrong", () => {
    const data = overconfident(300);
    const request = {
      rule: "max-softmax",
      fallback: "final",
      target: { kind: "rad", loss: 0.02 },
      costs: [0.3, 0.6, 1],
    } as const;
    const one = calibrate(data, request).point;
    const each = calibrate(data, { ...request, thresholds: "per-exit" }).point;
    expect(one.cost).toBeGreaterThan(0.9);
    expect(each.cost).toBeLessThan(0.7);
  });
});

/** Exit 0 guesses and is sure of it; exit 1 is right wherever it is sure, which is mostly; the final exit is right. */
function overconfident(n: number): Measured {
  const key = { seed: 3, sample: 0, purpose: "test", step: 0 } as const;
  const [guess, size] = [uniform(key, n), normal({ ...key, step: 1 }, n)];
  const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
  const logitsOf = (margin: (i: number) => number) =>
    Float32Array.from({ length: 2 * n }, (_, at) => {
      const i = Math.floor(at / 2);
      return at % 2 === labels[i] ? margin(i) : 0;
    });
  return {
    labels,
    logits: new Logits(
      [
        logitsOf((i) => (guess[i] < 0.5 ? -9 - size[i] : 9 + size[i])),
        logitsOf((i) => (i % 5 === 0 ? -0.5 : 3 + 0.2 * size[i])),
        logitsOf(() => 5),
      ],
      2,
    ),
  };
}

describe("what the search counts", () => {
  const rules = fc.constantFrom(...RULES);

  test("agrees with route, for every rule, fallback and temperature", () => {
    fc.assert(
      fc.property(
        splits(4, 12),
        rules,
        fallbacks,
        fc.array(fc.double({ min: -0.1, max: 1.2, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.constantFrom(undefined, [0.5, 2, 1, 3]),
        (data, rule, fallback, raw, temperatures) => {
          const thresholds = rule === "patience" ? [Math.max(1, Math.round(3 * raw[0]))] : raw;
          const policy = { rule, fallback, thresholds, temperatures };
          const readings = readExits(data, policy);
          const bars = Float64Array.from({ length: 3 }, (_, k) => scoreOf(rule, thresholds[k] ?? thresholds[0]));
          const routed = route(data.logits, policy);
          expect(routed.map((_, i) => stopOf(readings, bars, i))).toEqual(routed.map((r) => r.stop));
          expect(routed.map((r, i) => readings.right[r.stop][i])).toEqual(
            routed.map((r, i) => Number(r.label === data.labels[i])),
          );
        },
      ),
    );
  });

  test("a sweep visits every threshold with the means that routing gives", () => {
    fc.assert(
      fc.property(
        splits(4, 10),
        splits(4, 4),
        scoredRules,
        fc.nat(2),
        fc.nat(),
        (clean, attacked, rule, exit, pick) => {
          const frame = { rule, fallback: "final" } as const;
          const problem = makeProblem(readExits(clean, frame), [readExits(attacked, frame)], { costs: costsOf(4) });
          const bars = Float64Array.from(problem.order, (rows, k) => problem.scores[k][rows[pick % rows.length]]);
          const never = scoreOf(rule, NEVER_FIRES[rule]);
          const visited: number[] = [];
          sweep(problem, bars, exit, never, (score, outcome) => {
            visited.push(score);
            expect(outcome).toEqual(outcomeOf(problem, bars.with(exit, score)));
          });
          expect(visited[0]).toBe(never);
          expect(visited).toEqual([...new Set(visited)].sort((a, b) => b - a));
        },
      ),
    );
  });

  test("logits that are no numbers never look sure", () => {
    const broken = {
      logits: new Logits([new Float32Array(3).fill(Number.NaN), Float32Array.of(1, 0, 0)], 3),
      labels: [0],
    };
    for (const rule of RULES.filter((r) => r !== "patience")) {
      const request = { rule, fallback: "final", target: { kind: "rad", loss: 0 }, costs: [0.4, 1] } as const;
      expect(calibrate(broken, request).point).toMatchObject({ accuracy: 1, cost: 1 });
    }
  });
});
