/** @file Every loss against its formula, written down from the paper that it comes from, on
 *  exits that are linear in two pixels. */
import { describe, expect, test } from "vitest";
import { configureAttack } from "../../src/attacks/spec.js";
import { type LinearExit, linearExits, linearSample, logitsAt, lossAt } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const EXITS: readonly LinearExit[] = [
  { weights: [[1, -0.5], [-0.4, 0.9], [0.2, 0.3]], bias: [0.1, 0.4, -0.2] }, // biome-ignore format: a matrix
  { weights: [[-0.7, 0.6], [1.1, 0.2], [0.3, -0.8]], bias: [0, -0.3, 0.5] }, // biome-ignore format: a matrix
  { weights: [[0.8, 1.2], [-0.9, 0.4], [0.5, -1.3]], bias: [-0.6, 0.7, 0.2] }, // biome-ignore format: a matrix
];
const normalization = { mean: [0.1, 0.2], std: [0.5, 0.25] };
const victim = victimOf(linearExits(EXITS, normalization), 0.6);
const CLEAN = [0.3, 0.6];
/** The final exit says 0 of the clean image; the true label is another, so that a mix-up of the
 *  two shows. */
const sample = linearSample(EXITS, CLEAN, { label: 1, normalization });
const OWN = 0;
/** Images at which the final exit keeps its label by much, by little, and not at all. */
const IMAGES = [
  [0.45, 0.7],
  [0.35, 0.42],
  [0.1, 0.3],
] as const;

const softmax = (z: readonly number[]): number[] => {
  const e = z.map(Math.exp);
  return e.map((v) => v / e.reduce((a, b) => a + b));
};
const at = (row: readonly number[], j: number): number => row[j];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const crossEntropy = (z: readonly number[], y: number): number => -Math.log(at(softmax(z), y));
const margin = (z: readonly number[], y: number): number => Math.max(...z.filter((_, j) => j !== y)) - at(z, y);
const logits = (image: readonly number[]): number[][] => logitsAt(EXITS, image, normalization);

test("the test's images keep and change the final label, and change early ones", () => {
  expect(logits(CLEAN).map((z) => z.indexOf(Math.max(...z)))[2]).toBe(OWN);
  const finals = IMAGES.map((image) => margin(logits(image)[2], OWN));
  expect(finals[0]).toBeLessThan(-1);
  expect(finals[1]).toBeLessThan(0);
  expect(finals[1]).toBeGreaterThan(-1);
  expect(finals[2]).toBeGreaterThan(0);
});

describe.each(IMAGES.map((image) => [image] as const))("at the image %j", (image) => {
  const z = logits(image);
  const early = z.slice(0, -1);
  const final = z[2];

  test("misclassify has the cross-entropy of its exit", async () => {
    for (const k of [0, 1, 2]) {
      const { loss } = await lossAt(victim, { objective: `misclassify:${k}`, radius: 0.1 }, sample, image);
      expect(loss).toBeCloseTo(crossEntropy(z[k], sample.label), 5);
    }
  });

  test("the margin loss is the best of the other classes less the label's, at most kappa", async () => {
    for (const k of [0, 1, 2])
      for (const kappa of [0, 0.2, 1e3]) {
        const config = { objective: `misclassify:${k}`, loss: "margin", kappa, radius: 0.1 } as const;
        const { loss } = await lossAt(victim, config, sample, image);
        expect(loss).toBeCloseTo(Math.min(margin(z[k], sample.label), kappa), 5);
      }
  });

  test("a targeted loss is the negative of the loss for the target", async () => {
    for (const target of [0, 1, 2]) {
      const at = (loss: "cross-entropy" | "margin") =>
        lossAt(victim, { goal: "misclassify:2", loss, radius: 0.1, target }, sample, image);
      expect((await at("cross-entropy")).loss).toBeCloseTo(-crossEntropy(final, target), 5);
      expect((await at("margin")).loss).toBeCloseTo(-margin(final, target), 5);
    }
  });

  test("the scaled cross-entropy is that of logits with a spread of 10", async () => {
    const config = { goal: "misclassify:2", loss: "scaled-cross-entropy", radius: 0.1 } as const;
    const { loss } = await lossAt(victim, config, sample, image);
    const spread = Math.max(...final) - Math.min(...final);
    const rows = final.map((v) => (10 * v) / spread);
    expect(loss).toBeCloseTo(crossEntropy(rows, sample.label), 4);
  });

  test("average is the mean of all exits' cross-entropies", async () => {
    const { loss } = await lossAt(victim, { objective: "average", radius: 0.1 }, sample, image);
    expect(loss).toBeCloseTo(sum(z.map((row) => crossEntropy(row, sample.label))) / 3, 5);
  });

  test("max has one loss per exit", async () => {
    for (const k of [0, 1, 2]) {
      const { loss } = await lossAt(victim, { objective: "max", radius: 0.1 }, sample, image, k);
      expect(loss).toBeCloseTo(crossEntropy(z[k], sample.label), 5);
    }
  });

  test("routed has the cross-entropy of the exit that answers: where the work stops, or the surest at the end", async () => {
    for (const [fallback, answers] of [
      ["final", [0, 1, 2]],
      ["most-confident", [0, 1, 0, 1, 2]],
    ] as const) {
      const under = victimOf(victim.model, 0.6, { fallback });
      for (const [index, k] of answers.entries()) {
        const { loss } = await lossAt(under, { objective: "routed", radius: 0.1 }, sample, image, index);
        expect(loss).toBeCloseTo(crossEntropy(z[k], sample.label), 5);
      }
    }
  });

  test("slowdown sums over the early exits the cross-entropy with the uniform distribution, negated", async () => {
    const { loss } = await lossAt(victim, { objective: "slowdown", radius: 0.1 }, sample, image);
    expect(loss).toBeCloseTo(sum(early.map((row) => sum(softmax(row).map(Math.log)) / 3)), 5);
  });

  test.each([0.1, 0.7])(
    "the early attack's published loss weighs all but the distance by 50: alpha %f",
    async (alpha) => {
      const p = softmax(final);
      const keep = sum(p.map((other) => Math.max(0, at(p, OWN) - other)));
      const change = sum(early.map((row) => at(softmax(row), OWN)));
      const moved = sum(image.map((v, i) => ((v - at(CLEAN, i)) / at(normalization.std, i)) ** 2));
      const { loss } = await lossAt(victim, { objective: "early:published", alpha }, sample, image);
      expect(loss).toBeCloseTo(-(50 * (-alpha * keep + change) + moved), 4);
    },
  );

  test.each([
    [1e3, 1e3, 2],
    [0.2, 0.3, 5],
  ])(
    "the early attack on margins caps the early ones at %d, the final one at %d, and weighs it by %d",
    async (kappa, keep, weight) => {
      const change = sum(early.map((row) => Math.min(margin(row, OWN), kappa)));
      const held = Math.min(-margin(final, OWN), keep);
      const { loss } = await lossAt(
        victim,
        { objective: "early:margin", radius: 0.1, kappa, keep, weight },
        sample,
        image,
      );
      expect(loss).toBeCloseTo(change + weight * held, 5);
    },
  );
});

test("the caps and the hinges of these losses bite at some of the images and not at others", () => {
  const margins = IMAGES.flatMap((image) => logits(image).map((row) => margin(row, OWN)));
  expect(margins.filter((m) => m > 0.2).length).toBeGreaterThan(1);
  expect(margins.filter((m) => m < 0).length).toBeGreaterThan(1);
  const below = IMAGES.map((image) => softmax(logits(image)[2])).filter((p) => Math.max(...p) > at(p, OWN));
  expect(below.length).toBe(1);
});

describe("the early attack on margins by default", () => {
  const defaults = (threshold: number) =>
    configureAttack({ name: "t", objective: "early:margin", radius: 0.1 }, victimOf(victim.model, threshold))
      .parameters;

  test("pushes early margins one past the log-odds of the threshold", () => {
    expect(defaults(0.6).kappa).toBeCloseTo(1.4054651, 6); // log(0.6 / 0.4) + 1
    expect(defaults(0.9).kappa).toBeCloseTo(3.1972246, 6); // log 9 + 1
  });

  test("weighs the final exit as much as all early ones, and holds it by a margin of 1", () => {
    expect(defaults(0.6)).toMatchObject({ weight: 2, keep: 1 });
    const four = victimOf(linearExits([...EXITS, ...EXITS.slice(0, 1)]), 0.6);
    expect(configureAttack({ name: "t", objective: "early:margin", radius: 0.1 }, four).parameters.weight).toBe(3);
  });
});
