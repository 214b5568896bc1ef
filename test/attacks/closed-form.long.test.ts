/** On a linear classifier of two classes with logits (0, w.x + b) everything is known: the closest misclassified point lies at
 *  |w.x + b| / ||w||_1 in Linf and at |w.x + b| / ||w||_2 in L2. */
import { describe, expect, test } from "vitest";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { NORMS } from "../../src/perturb/norms.js";
import { linearModel, samplesOf, victimOf } from "../support/models.js";

const W = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
const norm1 = W.reduce((s, w) => s + Math.abs(w), 0);
const norm2 = Math.hypot(...W);
const model = linearModel([W.map(() => 0), W], [0, 0.15]);
const victim = victimOf(model);

async function run(config: Omit<AttackConfig, "name">) {
  const samples = await samplesOf(model, 12);
  const evaluator = new Evaluator(model, { backend: ortNode({ threads: 1 }) });
  const outcomes = await runAttack(configureAttack({ name: "t", ...config }, victim), samples, {
    evaluator,
    seed: 3,
    batch: 5,
  });
  return samples.map((sample, i) => ({
    sample,
    outcome: outcomes[i],
    margin: Math.abs(sample.clean[0][1]),
  }));
}

const closestIsInside = (pixels: Float32Array, move: number): boolean =>
  pixels.every((p, i) => Math.abs(p + (move * W[i]) / norm2 ** 2 - 0.5) < 0.5);

describe("on a linear model", () => {
  test.each([0.02, 0.05, 0.1])(
    "FGSM with radius %f breaks exactly the samples whose margin is below radius x ||w||_1",
    async (radius) => {
      for (const { outcome, margin } of await run({ objective: "misclassify:final", optimizer: "fgsm", radius }))
        expect(outcome.success).toBe(margin < radius * norm1);
    },
  );

  test("FGSM moves each pixel by the radius along the sign of the gradient", async () => {
    for (const { sample, outcome } of await run({ objective: "misclassify:final", optimizer: "fgsm", radius: 0.03 }))
      outcome.image.forEach((v, i) =>
        expect(v).toBeCloseTo(sample.pixels[i] + 0.03 * Math.sign(W[i]) * (sample.label === 1 ? -1 : 1), 5),
      );
  });

  test.each(["linf", "l2"] as const)(
    "PGD in %s breaks a sample if and only if the radius exceeds its distance",
    async (norm) => {
      const dual = norm === "linf" ? norm1 : norm2;
      for (const radius of [0.03, 0.08])
        for (const { outcome, margin } of await run({
          objective: "misclassify:final",
          optimizer: "pgd",
          norm,
          radius,
          steps: 30,
        }))
          expect(outcome.success).toBe(margin < radius * dual);
    },
  );

  test("Adam-tanh with a search over c comes within 5 % of the closest misclassified image", async () => {
    for (const { sample, outcome, margin } of await run({
      objective: "misclassify:final",
      optimizer: "adam-tanh",
      steps: 200,
      searchSteps: 8,
    })) {
      expect(outcome.success).toBe(true);
      const distance = NORMS.l2.distance(outcome.image, sample.pixels);
      expect(distance).toBeGreaterThanOrEqual(margin / norm2 - 1e-5);
      // Where the closest point of the plane lies outside [0,1] the closest image is further away.
      if (closestIsInside(sample.pixels, margin * (sample.label === 1 ? -1 : 1)))
        expect(distance).toBeLessThan(1.05 * (margin / norm2) + 1e-3);
    }
  });

  test("Adam-tanh with a radius only counts successes within it", async () => {
    for (const { sample, outcome, margin } of await run({
      objective: "misclassify:final",
      optimizer: "adam-tanh",
      radius: 0.1,
      steps: 200,
      searchSteps: 8,
    })) {
      if (outcome.success) expect(NORMS.l2.distance(outcome.image, sample.pixels)).toBeLessThanOrEqual(0.1);
      if (margin > 0.1 * norm2) expect(outcome.success).toBe(false);
      if (margin < 0.09 * norm2) expect(outcome.success).toBe(true);
    }
  });
});
