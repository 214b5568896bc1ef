/** @file The query methods, on linear networks whose closest images are known: the logits are (0, w.x + b), so the closest
 *  misclassified image lies at |w.x + b| / ||w||_1 in Linf and at |w.x + b| / ||w||_2 in L2. */
import { describe, expect, test } from "vitest";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, linearExits, linearSample } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const W = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
const EXITS = [{ weights: [W.map(() => 0), W], bias: [0, 0.15] }];
const DUAL = { l2: Math.hypot(...W), linf: W.reduce((sum, w) => sum + Math.abs(w), 0) } as const;
const victim = victimOf(linearExits(EXITS));
const samples = [
  [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
  [0.6, 0.4, 0.5, 0.45, 0.55, 0.5],
  [0.4, 0.6, 0.5, 0.62, 0.45, 0.5],
].map((pixels, id) => linearSample(EXITS, pixels, { id }));
const closest = ({ clean: [row] }: (typeof samples)[number], norm: "l2" | "linf") =>
  Math.abs(row[1] - row[0]) / DUAL[norm];

describe("a query method for the closest image", () => {
  test.each([
    { method: "hopskipjump", norm: "l2", steps: 12, gamma: 0.01, within: 1.03 },
    { method: "hopskipjump", norm: "linf", steps: 16, gamma: 0.01, within: 1.05 },
  ] as const)("comes near the distance of the plane: $method $norm", async ({ within, ...config }) => {
    const outcomes = await attackWith(victim, samples, config);
    outcomes.forEach(({ image, success }, i) => {
      expect(success).toBe(true);
      const distance = NORMS[config.norm].distance(image, samples[i].pixels);
      expect(distance).toBeGreaterThanOrEqual(closest(samples[i], config.norm) * 0.9999);
      expect(distance).toBeLessThanOrEqual(closest(samples[i], config.norm) * within);
    });
  });

  test("stops before its queries are more than the limit", async () => {
    for (const { spent } of await attackWith(victim, samples, { method: "hopskipjump", queries: 300 })) {
      expect(spent.queries).toBeLessThanOrEqual(300);
      expect(spent.queries).toBeGreaterThan(50);
    }
  });

  test("counts only a success within the radius", async () => {
    const far = closest(samples[2], "l2") * 0.9;
    const [, , outcome] = await attackWith(victim, samples, { method: "hopskipjump", radius: far, steps: 5 });
    expect(outcome.success).toBe(false);
    expect(outcome.image).toEqual(samples[2].pixels);
  });
});
