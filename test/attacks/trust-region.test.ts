/** @file The trust-region step of Brendel & Bethge, against other steps that keep to the same bounds, and against steps
 *  that are worked out by hand. */
import { describe, expect, test } from "vitest";
import { type StepProblem, trustRegionStep } from "../../src/attacks/methods/trust-region.js";
import { uniform } from "../../src/core/rng.js";
import { NORMS } from "../../src/perturb/norms.js";

const drawn = (sample: number, n: number, low: number, high: number): Float32Array =>
  Float32Array.from(uniform({ seed: 5, sample, purpose: "test", step: n }, n, low, high));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, v, i) => sum + v * b[i], 0);
const lengthOf = (v: ArrayLike<number>): number => Math.sqrt(dot(v, v));

const problemOf = (norm: StepProblem["norm"], trial: number, n: number): StepProblem => {
  const [clean, image, normal] = [drawn(trial, n, 0, 1), drawn(trial + 50, n, 0, 1), drawn(trial + 100, n, -1, 1)];
  return { norm, clean, image, normal, rise: 0.05 * lengthOf(normal), radius: 0.3 };
};
const valueAt = ({ norm, clean, image }: StepProblem, change: Float32Array): number =>
  NORMS[norm].distance(
    image.map((v, i) => v + change[i]),
    clean,
  );

/** Whether a change keeps to the plane, to the region and to [0,1]. */
const isAllowed = ({ image, normal, rise, radius }: StepProblem, change: Float32Array, slack = 1e-3): boolean =>
  Math.abs(dot(normal, change) - rise) <= slack * Math.abs(rise) &&
  lengthOf(change) <= radius * (1 + slack) &&
  image.every((v, i) => v + change[i] >= -1e-6 && v + change[i] <= 1 + 1e-6);

describe.each(["l2", "l1", "linf"] as const)("in %s", (norm) => {
  test("the step is on the plane, in the region and in [0,1]", () => {
    for (let trial = 0; trial < 30; trial++) {
      const problem = problemOf(norm, trial, 12);
      expect(isAllowed(problem, trustRegionStep(problem))).toBe(true);
    }
  });

  test("no other allowed step leads nearer: neither random ones, nor small turns of the step", () => {
    for (let trial = 0; trial < 30; trial++) {
      const problem = problemOf(norm, trial, 6);
      const step = trustRegionStep(problem);
      const least = valueAt(problem, step);
      const unit = lengthOf(problem.normal) ** 2;
      for (let k = 0; k < 400; k++) {
        const noise = drawn(1000 * trial + k, 7, -1, 1).subarray(0, 6);
        const size = 10 ** -(k % 4) * problem.radius;
        const moved = step.map((v, i) => v + size * noise[i]);
        const miss = (dot(problem.normal, moved) - problem.rise) / unit;
        const landed = moved.map((v, i) => v - miss * problem.normal[i]);
        if (isAllowed(problem, landed, 0)) expect(valueAt(problem, landed)).toBeGreaterThan(least * (1 - 2e-3));
      }
    }
  });
});

describe("by hand", () => {
  const clean = Float32Array.of(0.5, 0.5);
  const image = Float32Array.of(0.9, 0.5);
  const given = { clean, image, normal: Float32Array.of(0, 2), rise: 0.2 };

  test.each(["l2", "l1"] as const)(
    "%s: with room, the step ends at the point of the plane nearest to the image",
    (norm) => {
      const [x, y] = trustRegionStep({ ...given, norm, radius: 1 });
      expect(y).toBeCloseTo(0.1, 4);
      expect(x).toBeCloseTo(-0.4, 3);
    },
  );

  test("linf: with room, no value is farther from the clean image than the plane", () => {
    const [x, y] = trustRegionStep({ ...given, norm: "linf", radius: 1 });
    expect(y).toBeCloseTo(0.1, 4);
    expect(0.4 + x).toBeLessThan(0.1001);
  });

  test.each(["l2", "l1", "linf"] as const)("%s: the region cuts the way to the clean image short", (norm) => {
    const [x, y] = trustRegionStep({ ...given, norm, radius: 0.26 });
    expect(y).toBeCloseTo(0.1, 4);
    expect(x).toBeCloseTo(-0.24, 3);
  });

  test.each(["l2", "l1", "linf"] as const)("%s: a plane beyond the region is approached along the normal", (norm) => {
    const [x, y] = trustRegionStep({ ...given, norm, radius: 0.05 });
    expect(x).toBeCloseTo(0, 5);
    expect(y).toBeCloseTo(0.05, 4);
  });

  test("a plane that [0,1] does not reach is approached up to white", () => {
    const [, y] = trustRegionStep({ ...given, norm: "l2", rise: 3, radius: 5 });
    expect(y).toBeCloseTo(0.5, 5);
  });
});
