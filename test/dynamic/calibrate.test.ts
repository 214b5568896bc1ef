import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrate, operatingPoints, type Target, type ValidationLogits } from "../../src/dynamic/calibrate.js";
import { type Fallback, type Rule, thresholdCount } from "../../src/dynamic/policy.js";
import { route } from "../../src/dynamic/route.js";
import { failure } from "../support/failure.js";

const COSTS = [0.2, 0.5, 1];

/** Small random validation splits: three exits, three classes, few different logits. */
const split: fc.Arbitrary<ValidationLogits> = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.record({
    classes: fc.constant(3),
    labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: n, maxLength: n }),
    logits: fc.array(
      fc
        .array(fc.integer({ min: -3, max: 3 }), { minLength: 3 * n, maxLength: 3 * n })
        .map((values) => Float32Array.from(values)),
      { minLength: 3, maxLength: 3 },
    ),
  }),
);

/** Accuracy and mean cost at one threshold, by routing. */
function measure(rule: Rule, fallback: Fallback, { logits, labels, classes }: ValidationLogits, threshold: number) {
  const thresholds = new Array<number>(thresholdCount(rule, 3)).fill(threshold);
  const routed = route(logits, classes, { rule, fallback, thresholds });
  return {
    accuracy: routed.filter((r, i) => r.label === labels[i]).length / routed.length,
    cost: routed.reduce((sum, r) => sum + (COSTS[r.stop] as number), 0) / routed.length,
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

const finalAccuracy = ({ logits, labels, classes }: ValidationLogits): number => {
  const right = Array.from(labels).filter((label, i) => {
    const row = Array.from(logits[2]?.subarray(i * classes, (i + 1) * classes) ?? []);
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / labels.length;
};

describe("against brute force over a fine grid of thresholds", () => {
  test("rad: the point keeps its accuracy, and no threshold that does is cheaper", () => {
    fc.assert(
      fc.property(split, rules, fc.constantFrom(0, 0.05, 0.15, 0.5), (validation, rule, loss) => {
        const chosen = calibrate(rule, "final", { kind: "rad", loss }, validation, COSTS);
        const wanted = (1 - loss) * finalAccuracy(validation) - 1e-9;
        const measured = measure(rule, "final", validation, chosen.threshold);
        expect(measured.accuracy).toBe(chosen.accuracy);
        expect(measured.cost).toBeCloseTo(chosen.cost, 12);
        expect(chosen.accuracy).toBeGreaterThanOrEqual(wanted);
        for (const t of allThresholds(rule)) {
          const other = measure(rule, "final", validation, t);
          if (other.accuracy >= wanted) expect(other.cost).toBeGreaterThanOrEqual(chosen.cost - 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("budget: the point keeps its cost, and no threshold that does is more accurate", () => {
    fc.assert(
      fc.property(split, rules, fallbacks, fc.constantFrom(0.2, 0.5, 0.75, 1), (validation, rule, fallback, cost) => {
        const chosen = calibrate(rule, fallback, { kind: "budget", cost }, validation, COSTS);
        expect(measure(rule, fallback, validation, chosen.threshold).accuracy).toBe(chosen.accuracy);
        expect(chosen.cost).toBeLessThanOrEqual(cost + 1e-9);
        for (const t of allThresholds(rule)) {
          const other = measure(rule, fallback, validation, t);
          if (other.cost <= cost) expect(other.accuracy).toBeLessThanOrEqual(chosen.accuracy);
        }
      }),
      { numRuns: 30 },
    );
  });
});

test("operating points run over every confidence seen, the last one never leaving early", () => {
  fc.assert(
    fc.property(split, rules, fallbacks, (validation, rule, fallback) => {
      const points = operatingPoints(rule, fallback, validation, COSTS);
      expect(points.at(-1)?.cost).toBeCloseTo(1, 12);
      expect(Math.min(...points.map((p) => p.cost))).toBeCloseTo(0.2, 12);
    }),
  );
});

test("many confidences are thinned out, and both ends stay", () => {
  const n = 2000;
  const logits = [1, 2].map((k) => Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 0 : (k * i) / n)));
  const validation = { logits, labels: new Uint8Array(n), classes: 2 };
  const points = operatingPoints("max-softmax", "final", validation, [0.4, 1]);
  expect(points.length).toBe(501);
  expect([points[0]?.cost, points.at(-1)?.cost]).toEqual([expect.closeTo(0.4, 12), expect.closeTo(1, 12)]);
});

describe("failures", () => {
  const two = (early: readonly number[], final: readonly number[]): ValidationLogits => ({
    logits: [Float32Array.from(early), Float32Array.from(final)],
    labels: [0, 1],
    classes: 2,
  });
  const expectFailure = (text: string, target: Target, validation: ValidationLogits, fallback: Fallback = "final") =>
    expect(() => calibrate("max-softmax", fallback, target, validation, [0.4, 1])).toThrow(
      failure("policy/validation", text),
    );

  test("an empty split", () => {
    const empty = { logits: [new Float32Array(), new Float32Array()], labels: [], classes: 2 };
    expectFailure(
      "calibration: the validation split is empty. Report fewer samples, or give a split with --validation.",
      { kind: "rad", loss: 0.05 },
      empty,
    );
  });

  test("a budget below the first exit's cost", () => {
    expectFailure(
      "calibration: no threshold of rule max-softmax keeps the mean cost at 30.0 % of the full network; the first exit alone costs 40.0 %. Allow a larger budget.",
      { kind: "budget", cost: 0.3 },
      two([1, 0, 0, 1], [1, 0, 0, 1]),
    );
  });

  test("an accuracy that the fallback most-confident never reaches", () => {
    expectFailure(
      "calibration: no threshold of rule max-softmax keeps 95.0 % of the final exit's accuracy; the best reaches 0.0 % accuracy. Allow a larger loss, or use --fallback final.",
      { kind: "rad", loss: 0.05 },
      two([0, 9, 9, 0], [1, 0, 0, 1]),
      "most-confident",
    );
  });
});
