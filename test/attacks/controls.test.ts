/** @file Controls: what they change, how far, and how many questions they ask. */
import { describe, expect, test } from "vitest";
import { normal, uniform } from "../../src/core/rng.js";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, type LinearExit, linearExits, linearSample } from "../support/attack.js";
import { linearModel, samplesOf, smallExits, victimOf } from "../support/models.js";

const D = 6;
/** Two classes; class 0 stays the answer whatever the image, or not. */
const exitOf = (bias: number): LinearExit => ({
  weights: [new Array<number>(D).fill(0), new Array<number>(D).fill(1)],
  bias: [0, bias],
});
const CLEAN = [0.2, 0.4, 0.5, 0.6, 0.7, 0.1];
const run = (bias: number, config: Parameters<typeof attackWith>[2]) => {
  const exit = exitOf(bias);
  return attackWith(victimOf(linearExits([exit])), [linearSample([exit], CLEAN)], config, { seed: 3 });
};
const key = (step: number) => ({ seed: 3, sample: 0, purpose: "attack-start" as const, step });
const near = (a: ArrayLike<number>, b: readonly number[]): void => {
  for (const [i, v] of Array.from(a).entries()) expect(v, `value ${i}`).toBeCloseTo(b[i], 5);
};

describe("noise", () => {
  const signs = Array.from(normal(key(0), D), Math.sign);

  test("of signs moves every pixel by the radius in Linf", async () => {
    const [{ image, success, spent }] = await run(-50, { method: "sign-noise", radius: 0.1 });
    near(
      image,
      CLEAN.map((p, i) => p + 0.1 * signs[i]),
    );
    expect(success).toBe(false);
    expect([spent.queries, spent.gradients]).toEqual([1, 0]);
  });

  test.each([
    ["l2", Math.sqrt(D)],
    ["l1", D],
  ] as const)("of signs has the radius in %s", async (norm, share) => {
    const [{ image }] = await run(-50, { method: "sign-noise", norm, radius: 0.2 });
    near(
      image,
      CLEAN.map((p, i) => p + (0.2 / share) * signs[i]),
    );
  });

  test("of normal numbers has the radius as its length", async () => {
    const [{ image }] = await run(-50, { method: "gaussian-noise", norm: "l2", radius: 0.05 });
    const draws = normal(key(0), D);
    near(
      image,
      CLEAN.map((p, i) => p + (0.05 * draws[i]) / Math.hypot(...draws)),
    );
  });

  test("that is uniform is a point of the ball", async () => {
    const [{ image }] = await run(-50, { method: "uniform-noise", radius: 0.05 });
    const draws = uniform(key(0), D, -0.05, 0.05);
    near(
      image,
      CLEAN.map((p, i) => p + draws[i]),
    );
  });

  test("asks one question per try, and stops at the first success", async () => {
    expect((await run(-50, { method: "uniform-noise", radius: 0.05, tries: 7 }))[0].spent.queries).toBe(7);
    // The sum of the pixels is 2.5: a little more changes the label.
    const [{ success, spent }] = await run(-2.55, { method: "sign-noise", radius: 0.1, tries: 200 });
    expect(success).toBe(true);
    expect(spent.queries).toBeLessThan(20);
    expect(spent.queriesToSuccess).toBe(spent.queries);
  });
});

describe("the closest change", () => {
  test("of contrast is the first share that changes the label", async () => {
    // The sum goes from 2.5 to 3 as all pixels go to 0.5; it passes 2.75 halfway.
    const [{ image, success, spent }] = await run(-2.752, { method: "contrast", steps: 10 });
    expect(success).toBe(true);
    expect(spent.queries).toBe(6);
    near(
      image,
      CLEAN.map((p) => p + 0.6 * (0.5 - p)),
    );
  });

  test("counts only within the radius", async () => {
    const far = { method: "contrast", steps: 10, norm: "linf", radius: 0.2 } as const;
    const [{ success, spent }] = await run(-2.752, far);
    expect(success).toBe(false);
    expect(spent.queries).toBe(5);
  });

  test("of salt and pepper makes ever more pixels black or white", async () => {
    const row = victimOf(linearModel([new Array<number>(D).fill(0), new Array<number>(D).fill(1)], [0, -50]));
    const sample = linearSample([exitOf(-50)], CLEAN);
    const salted = (config: object) => attackWith(row, [sample], { method: "salt-and-pepper", ...config }, { seed: 3 });
    const [{ image, spent }] = await salted({ steps: 4 });
    expect(spent.queries).toBe(4);
    expect(Array.from(image).every((v) => v === 0 || v === 1)).toBe(true);
    // The whole share is left out here, because it changes every pixel.
    const [half] = await salted({ steps: 2, norm: "l0", radius: D - 1 });
    expect(half.spent.queries).toBe(1);
    const draws = Array.from(uniform(key(0), D));
    near(
      half.image,
      CLEAN.map((p, i) => (draws[i] < 0.25 ? 0 : draws[i] >= 0.75 ? 1 : p)),
    );
  });
});

describe("on images", () => {
  const model = smallExits();
  const victim = victimOf(model);

  test("rotation and translation try 5 angles and 5 x 5 translations", async () => {
    const samples = await samplesOf(model, 6);
    const outcomes = await attackWith(victim, samples, { method: "rotate-translate" });
    expect(outcomes.some(({ success }) => success)).toBe(true);
    for (const { success, spent } of outcomes)
      if (!success) expect(spent.queries).toBe(125);
      else expect(spent.queries).toBeLessThanOrEqual(125);
  });

  test("a translation moves the image by the stated pixels", async () => {
    const samples = await samplesOf(model, 8);
    const config = {
      method: "rotate-translate",
      degrees: 0,
      angles: 1,
      pixels: 2,
      shifts: 2,
      target: "least-likely",
    } as const;
    const failed = (await attackWith(victim, samples, config)).map((o, i) => ({ ...o, i })).filter((o) => !o.success);
    expect(failed.length).toBeGreaterThan(0);
    // The last candidate takes each pixel from the right and from below.
    for (const { image, i } of failed)
      for (let y = 0; y < 6; y++)
        for (let x = 0; x < 6; x++) expect(image[8 * y + x]).toBeCloseTo(samples[i].pixels[8 * (y + 2) + x + 2], 5);
  });

  test("a blur has the stated standard deviation", async () => {
    const width = 33;
    const zeros = new Array<number>(width).fill(0);
    const row = victimOf(linearModel([zeros, zeros], [1, 0]));
    const sample = linearSample(
      [{ weights: [zeros, zeros], bias: [1, 0] }],
      zeros.map((_, i) => (i === 16 ? 1 : 0)),
    );
    const [{ image }] = await attackWith(row, [sample], { method: "gaussian-blur", steps: 1, widest: 1.5 / width });
    const bell = (t: number) => Math.exp(-(t * t) / 4.5);
    const total = zeros.map((_, i) => (Math.abs(i - 16) <= 6 ? bell(i - 16) : 0)).reduce((a, b) => a + b);
    for (const t of [0, 1, 3, 6]) expect(image[16 + t]).toBeCloseTo(bell(t) / total, 5);
  });

  test("a blur over the whole image leaves one value per channel", async () => {
    const samples = await samplesOf(model, 2);
    const outcomes = await attackWith(victim, samples, { method: "gaussian-blur", steps: 1, widest: 5 });
    for (const [i, { image }] of outcomes.entries())
      for (let c = 0; c < 3; c++) {
        const plane = image.subarray(64 * c, 64 * (c + 1));
        const clean = samples[i].pixels.subarray(64 * c, 64 * (c + 1));
        const mean = clean.reduce((a, b) => a + b) / 64;
        expect(Math.max(...plane) - Math.min(...plane)).toBeLessThan(1e-3);
        expect(plane[0]).toBeCloseTo(mean, 3);
      }
    expect(NORMS.l2.distance(outcomes[0].image, samples[0].pixels)).toBeGreaterThan(0.5);
  });
});
