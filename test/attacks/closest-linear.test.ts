/** @file Methods that search for the closest image, on exits that are linear in the pixels. The nearest boundary between
 *  the label and another class lies at the difference of their logits, divided by the dual norm of the difference of their
 *  weights. */
import { describe, expect, test } from "vitest";
import type { AttackConfig } from "../../src/attacks/spec.js";
import { NORMS } from "../../src/perturb/norms.js";
import type { Norm } from "../../src/schema/norm.js";
import { attackWith, type LinearExit, linearExits, linearSample, logitsAt } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const WEIGHTS = [
  [0.9, -0.4, 0.2, -1.1, 0.6, 0.3],
  [-0.3, 0.8, -0.7, 0.2, 0.5, -0.9],
  [0.4, 0.1, 1.2, 0.3, -0.8, 0.2],
  [-0.6, -0.5, 0.3, 0.9, 0.1, 0.7],
];
const BIAS = [0.1, -0.05, 0, 0.08];
const IMAGES = [
  [0.5, 0.45, 0.55, 0.5, 0.6, 0.4],
  [0.55, 0.6, 0.4, 0.45, 0.5, 0.5],
  [0.45, 0.5, 0.62, 0.5, 0.42, 0.52],
  [0.4, 0.42, 0.5, 0.6, 0.5, 0.6],
];

const exitsTimes = (factor: number): LinearExit[] => [
  { weights: WEIGHTS.map((row) => row.map((w) => w * factor)), bias: BIAS.map((b) => b * factor) },
];

/** The smallest distance at which another class wins, whatever [0,1] allows. */
function nearest(image: readonly number[], norm: Norm, target?: number): number {
  const z = logitsAt(exitsTimes(1), image)[0];
  const label = z.indexOf(Math.max(...z));
  const to = (k: number): number => {
    const slope = WEIGHTS[k].map((w, i) => Math.abs(w - WEIGHTS[label][i]));
    const dual = {
      linf: slope.reduce((a, b) => a + b),
      l2: Math.hypot(...slope),
      l1: Math.max(...slope),
      l0: Number.NaN,
    };
    return (z[label] - z[k]) / dual[norm];
  };
  const others = WEIGHTS.map((_, k) => k).filter((k) => k !== label && (target === undefined || k === target));
  return Math.min(...others.map(to));
}

async function distances(config: Omit<AttackConfig, "name">, factor = 1): Promise<number[]> {
  const exits = exitsTimes(factor);
  const samples = IMAGES.map((pixels, id) => linearSample(exits, pixels, { id }));
  const outcomes = await attackWith(victimOf(linearExits(exits)), samples, config);
  return outcomes.map(({ success, image }, i) =>
    success ? NORMS[(config.norm ?? "l2") as Norm].distance(image, samples[i].pixels) : Number.POSITIVE_INFINITY,
  );
}

const expected = (norm: Norm): number[] => IMAGES.map((image) => nearest(image, norm));

test("the boundaries are near enough that [0,1] does not matter", () => {
  for (const norm of ["l2", "linf", "l1"] as const)
    for (const distance of expected(norm)) {
      expect(distance).toBeGreaterThan(0.01);
      expect(distance).toBeLessThan(norm === "linf" ? 0.2 : 0.3);
    }
});

describe("DeepFool", () => {
  test.each(["l2", "linf"] as const)(
    "reaches the nearest boundary in one step, and 2 percent farther: %s",
    async (norm) => {
      const found = await distances({ method: "deepfool", norm });
      for (const [i, want] of expected(norm).entries()) expect(found[i]).toBeCloseTo(1.02 * (want + 1e-4), 5);
    },
  );

  test("moves as far beyond as the overshoot says", async () => {
    const found = await distances({ method: "deepfool", overshoot: 0.5 });
    for (const [i, want] of expected("l2").entries()) expect(found[i]).toBeCloseTo(1.5 * (want + 1e-4), 5);
  });
});

describe("logits times a factor", () => {
  const configs = [
    { method: "deepfool", norm: "l2" },
    { method: "deepfool", norm: "linf" },
  ] as const;

  test.each(configs)("do not change the distances: $method $norm", async (config) => {
    const [usual, small, large] = [
      await distances(config),
      await distances(config, 0.01),
      await distances(config, 100),
    ];
    for (const [i, want] of usual.entries()) {
      expect(Math.abs(small[i] / want - 1)).toBeLessThan(0.03);
      expect(Math.abs(large[i] / want - 1)).toBeLessThan(0.03);
    }
  });
});
