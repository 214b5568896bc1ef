/** @file One perturbation for many images, on linear networks where it is known: the mean gradient of a linear loss is the
 *  same everywhere. */
import { describe, expect, test } from "vitest";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, linearExits, linearSample } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const W = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
const EXITS = [{ weights: [W.map(() => 0), W], bias: [0, 0.15] }];
const victim = victimOf(linearExits(EXITS));
const samples = [
  [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
  [0.6, 0.4, 0.5, 0.45, 0.55, 0.5],
  [0.4, 0.6, 0.5, 0.4, 0.45, 0.5],
  [0.3, 0.4, 0.5, 0.4, 0.5, 0.6],
].map((pixels, id) => linearSample(EXITS, pixels, { id }));

const deltaOf = (image: Float32Array, i: number) => Array.from(image, (v, k) => v - samples[i].pixels[k]);

describe("universal-pgd", () => {
  test.each(["linf", "l2"] as const)("goes to the border of the ball along the weights in %s", async (norm) => {
    const outcomes = await attackWith(victim, samples, { method: "universal-pgd", norm, radius: 0.08, loss: "margin" });
    const length = Math.hypot(...W);
    outcomes.forEach(({ image }, i) => {
      deltaOf(image, i).forEach((d, k) => {
        const known = norm === "linf" ? -0.08 * Math.sign(W[k]) : (-0.08 * W[k]) / length;
        expect(d).toBeCloseTo(known, 5);
      });
      expect(NORMS[norm].distance(image, samples[i].pixels)).toBeLessThanOrEqual(0.08001);
    });
  });

  test("takes one step per batch and epoch", async () => {
    const config = { method: "universal-pgd", radius: 0.1, loss: "margin", stepSize: 0.004, epochs: 3 };
    const [{ image, spent }] = await attackWith(victim, samples, { ...config, samplesPerStep: 2 });
    deltaOf(image, 0).forEach((d, k) => expect(d).toBeCloseTo(-3 * 2 * 0.004 * Math.sign(W[k]), 5));
    expect(spent).toMatchObject({ queries: 4, gradients: 3 });
  });

  test("fits on the first samples alone, and moves the others too", async () => {
    const outcomes = await attackWith(victim, samples, { method: "universal-pgd", radius: 0.05, fit: 1 });
    expect(outcomes.map(({ spent }) => spent.gradients)).toEqual([10, 0, 0, 0]);
    deltaOf(outcomes[3].image, 3).forEach((d, k) => expect(d).toBeCloseTo(deltaOf(outcomes[0].image, 0)[k], 6));
  });

  test("starts at random within startSize and gives the same bytes at any batch", async () => {
    const config = { method: "universal-pgd", radius: 0.05, startSize: 0.02, epochs: 2, samplesPerStep: 2 };
    const all = await attackWith(victim, samples, config);
    expect(await attackWith(victim, samples, config, { batch: 1 })).toEqual(all);
    expect(await attackWith(victim, samples, config, { seed: 4 })).not.toEqual(all);
  });
});

describe("class-universal", () => {
  test("moves each class by a perturbation of its own", async () => {
    const other = linearSample(EXITS, [0.1, 0.9, 0.5, 0.9, 0.2, 0.3], { id: 9 });
    expect(other.label).toBe(0);
    const all = [samples[0], other, samples[1]];
    const config = { method: "class-universal", radius: 0.05, loss: "margin" };
    const outcomes = await attackWith(victim, all, config);
    outcomes.forEach(({ image }, i) => {
      const sign = all[i].label === 1 ? -1 : 1;
      image.forEach((v, k) => expect(v - all[i].pixels[k]).toBeCloseTo(sign * 0.05 * Math.sign(W[k]), 5));
    });
  });
});
