/** @file One perturbation for many images, on linear networks where it is known: the mean gradient of a linear loss is the
 *  same everywhere. */
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, linearExits, linearSample } from "../support/attack.js";
import { samplesOf as drawn, smallExits, victimOf } from "../support/models.js";

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

describe("uap", () => {
  test("adds changes until the share of samples is fooled, within the ball", async () => {
    const needed = samples.map(({ clean: [row] }) => row[1] / W.reduce((sum, w) => sum + Math.abs(w), 0));
    const [most, least] = [Math.max(...needed), Math.min(...needed)];
    const run = (radius: number, foolRate: number) => attackWith(victim, samples, { method: "uap", radius, foolRate });
    const all = await run(1.1 * most, 1);
    expect(all.map(({ success }) => success)).toEqual([true, true, true, true]);
    for (const { success } of await run(0.95 * least, 1)) expect(success).toBe(false);
    const quarter = await run(1.1 * most, 0.25);
    const total = (outcomes: typeof all) => outcomes.reduce((sum, { spent }) => sum + spent.gradients, 0);
    expect(total(quarter)).toBeLessThanOrEqual(total(all));
  });

  test("takes DeepFool's change of the first image when one is enough", async () => {
    const [{ image }] = await attackWith(victim, samples.slice(0, 1), { method: "uap", norm: "l2", radius: 1 });
    const length = Math.hypot(...W);
    const distance = (samples[0].clean[0][1] / length + 1e-4) * 1.02;
    deltaOf(image, 0).forEach((d, k) => expect(d).toBeCloseTo((-distance * W[k]) / length, 5));
  });
});

describe("patch", () => {
  const model = smallExits();
  const under = victimOf(model, 0.6);

  test("changes one square of every image alike, and nothing else", async () => {
    const clean = await drawn(model, 6);
    const outcomes = await attackWith(under, clean, { method: "patch", norm: "l0", radius: 30, top: 2, left: 4 });
    const inside = (i: number) => {
      const [row, column] = [Math.floor(i / 8) % 8, i % 8];
      return row >= 2 && row < 5 && column >= 4 && column < 7;
    };
    outcomes.forEach(({ image }, n) => {
      image.forEach((v, i) => expect(v).toBe(inside(i) ? outcomes[0].image[i] : clean[n].pixels[i]));
    });
  });

  test("goes to the border of [0,1] along the weights", async () => {
    const [{ image }] = await attackWith(victim, samples.slice(0, 1), {
      method: "patch",
      norm: "l0",
      radius: 6,
      loss: "margin",
      epochs: 30,
    });
    image.forEach((v, k) => expect(v).toBe(W[k] > 0 ? 0 : 1));
  });

  test("takes steps of the stated length from random values", async () => {
    const config = { method: "patch", norm: "l0", radius: 6, loss: "margin", epochs: 1, stepSize: 0.04 };
    const [{ image }] = await attackWith(victim, samples.slice(0, 1), config, { seed: 3 });
    const start = uniform({ seed: 3, sample: 0, purpose: "attack-start", step: 0 }, 6);
    image.forEach((v, k) => expect(v).toBeCloseTo(Math.min(Math.max(start[k] - 0.04 * Math.sign(W[k]), 0), 1), 6));
  });

  test("refuses a square that does not fit", async () => {
    const clean = await drawn(model, 1);
    const config = { method: "patch", norm: "l0", radius: 30, top: 7 } as const;
    await expect(attackWith(under, clean, config)).rejects.toThrow(/a square of 3 x 3 pixels at row 7/);
  });
});

describe("shrinking", () => {
  test("ends in the last ball, and finds the plane when that ball reaches it", async () => {
    const [sample] = samples;
    const distance = sample.clean[0][1] / Math.hypot(...W);
    const config = { method: "shrinking", steps: 60, every: 5, loss: "margin", shrink: 0.2 } as const;
    const [{ image, success }] = await attackWith(victim, [sample], { ...config, startRadius: 2 * distance });
    expect(success).toBe(true);
    const found = NORMS.l2.distance(image, sample.pixels) / distance;
    // The radii are 2 x 0.8^k distances. The smallest one beyond the plane is 1.024.
    expect(found).toBeGreaterThanOrEqual(1);
    expect(found).toBeLessThanOrEqual(1.0241);
  });
});
