/** @file What holds for every method that asks queries, or that works on a set of samples: the ball, [0,1], the same bytes at
 *  any batch, and each goal. */
import { describe, expect, test } from "vitest";
import type { SampleOutcome } from "../../src/attacks/attack.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { NORMS } from "../../src/perturb/norms.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const victim = victimOf(model, 0.6);
const samples = await samplesOf(model, 10);
const evaluator = new Evaluator(model, { backend: ortNode({ threads: 1 }) });

const attack = (config: Omit<AttackConfig, "name">, batch = 8): Promise<SampleOutcome[]> =>
  runAttack(configureAttack({ name: "t", ...config }, victim), samples, { evaluator, seed: 1, batch });

/** Each method with a small budget, once per norm. */
const METHODS = [
  { method: "hopskipjump", norm: "l2", steps: 2, initialDirections: 10 },
  { method: "hopskipjump", norm: "linf", steps: 2, initialDirections: 10 },
  { method: "boundary", norm: "l2", steps: 30 },
  { method: "geoda", norm: "l2", queries: 200, rounds: 2 },
  { method: "geoda", norm: "linf", queries: 200, rounds: 2, frequencies: 4 },
  { method: "shrinking", norm: "l2", steps: 12, every: 4 },
  { method: "nes", norm: "linf", radius: 0.06, steps: 3, directions: 8 },
  { method: "nes", norm: "l2", radius: 0.5, steps: 3, directions: 8 },
  { method: "spsa", norm: "linf", radius: 0.06, steps: 3, directions: 8 },
  { method: "simba", norm: "l2", radius: 0.5, queries: 40 },
  { method: "simba", norm: "linf", radius: 0.06, queries: 40, basis: "dct" },
  { method: "cost-walk", norm: "linf", radius: 0.06, queries: 40 },
  { method: "cost-walk", norm: "l2", radius: 0.5, queries: 40 },
  { method: "cost-walk", norm: "l1", radius: 4, queries: 40 },
  { method: "universal-pgd", norm: "linf", radius: 0.06, epochs: 2, samplesPerStep: 4 },
  { method: "universal-pgd", norm: "l2", radius: 0.5, epochs: 2, startSize: 0.01 },
  { method: "universal-pgd", norm: "l1", radius: 4, epochs: 2, samplesPerStep: 4 },
  { method: "class-universal", norm: "linf", radius: 0.06, epochs: 2, startSize: 0.01 },
  { method: "patch", norm: "l0", radius: 48, epochs: 2, top: 2, left: 3 },
] as const;

/** A set method whose questions are about classes, so it takes no goal with a loss of its own. */
const UAP = { method: "uap", norm: "linf", radius: 0.06, epochs: 2 } as const;

const GOALS = ["misclassify:final", "misclassify:0", "average", "routed", "slowdown", "early:minimum"] as const;

describe("every method of queries or of sets", () => {
  test.each(METHODS)("keeps to the ball and to [0,1] under every goal: $method $norm", async (config) => {
    for (const goal of GOALS) {
      const before = samples.map((s) => Float32Array.from(s.pixels));
      const outcomes = await attack({ goal, ...config });
      outcomes.forEach(({ image }, i) => {
        const radius = "radius" in config ? config.radius : Number.POSITIVE_INFINITY;
        expect(NORMS[config.norm].distance(image, samples[i].pixels)).toBeLessThanOrEqual(radius * 1.00001);
        expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...image)).toBeLessThanOrEqual(1);
        expect(samples[i].pixels).toEqual(before[i]);
      });
    }
  });

  test("uap keeps to them under every goal that takes a loss", async () => {
    for (const goal of ["misclassify:final", "misclassify:0", "average", "routed"] as const) {
      const outcomes = await attack({ goal, ...UAP });
      expect(await attack({ goal, ...UAP }, 1)).toEqual(outcomes);
      for (const [i, { image }] of outcomes.entries()) {
        expect(NORMS.linf.distance(image, samples[i].pixels)).toBeLessThanOrEqual(0.060001);
        expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...image)).toBeLessThanOrEqual(1);
      }
    }
    expect(() => attack({ goal: "slowdown", ...UAP })).toThrow(/loss of its own/);
  });

  test.each(METHODS)("says the truth about its success, and moves images: $method $norm", async (config) => {
    const configured = configureAttack({ name: "t", goal: "average", ...config }, victim);
    const outcomes = await attack({ goal: "average", ...config });
    const session = await ortNode({ threads: 1 }).compile(model.graph);
    for (const [i, { image, success, eligible }] of outcomes.entries()) {
      const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: image } });
      const logits = ["exit0", "exit1", "exit2"].map((name) => out[name]?.data as Float32Array);
      if (eligible) expect(success, `sample ${i}`).toBe(configured.goal.succeeded(samples[i], { logits }));
    }
    expect(outcomes.some(({ image }, i) => image.some((v, k) => v !== samples[i].pixels[k]))).toBe(true);
  });

  test.each(METHODS)("gives the same bytes whatever the batch: $method $norm", async (config) => {
    const all = await attack({ goal: "routed", ...config }, 64);
    expect(await attack({ goal: "routed", ...config }, 8)).toEqual(all);
    expect(await attack({ goal: "routed", ...config }, 1)).toEqual(all);
  });

  test.each(["nes", "spsa", "simba", "universal-pgd", "class-universal"])("has a targeted form: %s", async (method) => {
    const outcomes = await attack({ method, target: "second", radius: 0.3, norm: method === "simba" ? "l2" : "linf" });
    expect(outcomes.filter(({ success, eligible }) => success && eligible).length).toBeGreaterThanOrEqual(1);
  });

  test.each(["hopskipjump", "boundary", "brendel-bethge"])(
    "aims at a class that other samples have, with the same bytes at any batch: %s",
    async (method) => {
      const target = samples[0].label;
      const config = { method, target, steps: method === "hopskipjump" ? 2 : 20 };
      const outcomes = await attack(config);
      expect(outcomes.some(({ eligible, success }) => eligible && success)).toBe(true);
      expect(await attack(config, 1)).toEqual(outcomes);
      expect(await attack(config, 64)).toEqual(outcomes);
      const session = await ortNode({ threads: 1 }).compile(model.graph);
      for (const { image, success } of outcomes.filter(({ success }) => success)) {
        const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: image } });
        const z = Array.from(out.exit2?.data as Float32Array);
        expect([success, z.indexOf(Math.max(...z))]).toEqual([true, target]);
      }
    },
  );

  test.each(["geoda", "cost-walk"])("has no targeted form: %s", (method) => {
    expect(() => attack({ method, target: "second", radius: 0.3 })).toThrow(/no targeted form/);
  });

  test("a step of simba along a cosine wave has its length", async () => {
    // The second query is the one step. It is kept or not.
    const config = { method: "simba", norm: "l2", radius: 1, stepSize: 0.01, basis: "dct", queries: 2 } as const;
    const moved = (await attack(config)).map(({ image }, i) => NORMS.l2.distance(image, samples[i].pixels));
    for (const distance of moved.filter((d) => d > 0)) expect(distance / 0.01).toBeCloseTo(1, 1);
    expect(moved.some((d) => d > 0)).toBe(true);
  });
});
