import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SampleOutcome } from "../../src/attacks/attack.js";
import { routedLabel } from "../../src/attacks/goals/victim.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { NORMS } from "../../src/perturb/norms.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const victim = victimOf(model);
const samples = await samplesOf(model, 24);
const evaluator = new Evaluator(model, { backend: ortNode({ threads: 1 }) });

const attack = (config: Omit<AttackConfig, "name">, batch = 8, seed = 1): Promise<SampleOutcome[]> =>
  runAttack(configureAttack({ name: "t", ...config }, victim), samples, { evaluator, seed, batch });

const successes = (outcomes: readonly SampleOutcome[]): number => outcomes.filter((o) => o.success).length;

const OBJECTIVES = [
  "misclassify:final",
  "misclassify:0",
  "average",
  "max",
  "routed",
  "early:margin",
  "slowdown",
] as const;

describe("every attack with a radius", () => {
  const cases = fc.record({
    objective: fc.constantFrom(...OBJECTIVES),
    norm: fc.constantFrom("linf", "l2"),
    radius: fc.double({ min: 0.005, max: 0.6, noNaN: true }),
    steps: fc.integer({ min: 1, max: 6 }),
    randomStart: fc.boolean(),
    restarts: fc.integer({ min: 1, max: 2 }),
  });

  test("stays inside its ball and inside [0,1], and leaves clean images untouched", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (config) => {
        const before = samples.map((s) => Float32Array.from(s.pixels));
        const outcomes = await attack(config);
        outcomes.forEach(({ image }, i) => {
          const clean = samples[i]?.pixels;
          expect(NORMS[config.norm].distance(image, clean)).toBeLessThanOrEqual(config.radius + 1e-6);
          expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...image)).toBeLessThanOrEqual(1);
          expect(clean).toEqual(before[i]);
        });
      }),
      { numRuns: 25 },
    );
  });

  /** Where each objective has something to do: a policy under which samples are eligible, and radii at which some fall.
   *  Labels are those that the named answer gives, so that it is right on clean images. */
  const settings = {
    "misclassify:final": { thresholds: [0.6, 0.6], right: "final", radius: 0.06 },
    "misclassify:0": { thresholds: [0.6, 0.6], right: "final", radius: 0.06 },
    average: { thresholds: [0.6, 0.6], right: "routed", radius: 0.12 },
    max: { thresholds: [0.6, 0.6], right: "routed", radius: 0.06 },
    routed: { thresholds: [0.6, 0.6], right: "routed", radius: 0.09 },
    "early:margin": { thresholds: [0.6, 2], right: "final", radius: 0.06 },
    slowdown: { thresholds: [0.9, 0.9], right: "routed", radius: 0.25 },
  } as const;

  test.each(OBJECTIVES)(
    "never does worse with more steps or more restarts from the same start: %s",
    async (objective) => {
      const { thresholds, right, radius } = settings[objective];
      const under = victimOf(model, 0, { thresholds });
      const labelled = right === "final" ? samples : samples.map((s) => ({ ...s, label: routedLabel(s.clean, under) }));
      const run = (steps: number, restarts = 1) =>
        runAttack(
          configureAttack(
            {
              name: "t",
              objective,
              optimizer: "pgd",
              radius,
              stepSize: radius / 4,
              randomStart: true,
              steps,
              restarts,
            },
            under,
          ),
          labelled,
          { evaluator, seed: 1, batch: 24 },
        );
      const [few, more, again] = [await run(3), await run(9), await run(3, 3)];
      const fallen = (outcomes: readonly SampleOutcome[]) => outcomes.filter((o) => o.eligible && o.success).length;
      // The law says nothing where no sample falls, or where all of them do.
      expect(few.filter((o) => o.eligible).length).toBeGreaterThanOrEqual(12);
      expect(fallen(few)).toBeGreaterThanOrEqual(2);
      expect(fallen(few)).toBeLessThan(fallen(more));
      few.forEach(({ success }, i) => {
        if (!success) return;
        expect(more[i]?.success, `sample ${i}, steps`).toBe(true);
        expect(again[i]?.success, `sample ${i}, restarts`).toBe(true);
      });
    },
  );
});

describe("results", () => {
  const configs: readonly Omit<AttackConfig, "name">[] = [
    ...OBJECTIVES.map((objective) => ({
      objective,
      optimizer: "pgd" as const,
      radius: 0.05,
      steps: 5,
      randomStart: true,
    })),
    { objective: "early:published", steps: 30, checkFrom: 10 },
    { objective: "misclassify:final", optimizer: "adam-tanh", steps: 20 },
  ];

  test.each(configs)("are the same bytes whatever the batch: $objective $optimizer", async (config) => {
    const [one, sixteen, all] = await Promise.all([1, 16, 64].map((batch) => attack(config, batch)));
    expect(sixteen).toEqual(all);
    expect(one).toEqual(all);
  });

  test("depend on a sample's id, not on which others are attacked beside it", async () => {
    const configured = configureAttack(
      { name: "t", objective: "average", radius: 0.05, steps: 5, randomStart: true },
      victim,
    );
    const all = await runAttack(configured, samples, { evaluator, seed: 1, batch: 8 });
    const some = await runAttack(configured, samples.slice(10, 14).reverse(), { evaluator, seed: 1, batch: 8 });
    expect(some.reverse()).toEqual(all.slice(10, 14));
  });

  test("change with the seed when the start is random", async () => {
    const config = { objective: "average", radius: 0.05, steps: 1, stepSize: 0.001, randomStart: true } as const;
    expect(await attack(config, 8, 1)).not.toEqual(await attack(config, 8, 2));
  });

  test("8-bit success follows where a success exists with room to spare", async () => {
    const outcomes = await attack({ objective: "misclassify:final", radius: 0.3, steps: 20 });
    const session = await ortNode({ threads: 1 }).compile(model.graph);
    expect(successes(outcomes)).toBe(24);
    for (const [i, { image, success }] of outcomes.entries()) {
      if (!success) continue;
      const rounded = image.map((v) => Math.round(v * 255) / 255);
      const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: rounded } });
      const logits = out.exit2?.data as Float32Array;
      expect(logits.indexOf(Math.max(...logits)), `sample ${i}`).not.toBe(samples[i]?.label);
    }
  });

  test("slowdown succeeds where no early exit fires, and only there", async () => {
    const under = victimOf(model, 0.9);
    const outcomes = await runAttack(
      configureAttack({ name: "t", objective: "slowdown", radius: 0.2, steps: 9, stepSize: 0.2 / 6 }, under),
      samples,
      { evaluator, seed: 1, batch: 24 },
    );
    const session = await ortNode({ threads: 1 }).compile(model.graph);
    for (const { image, success } of outcomes) {
      const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: image } });
      const surest = [out.exit0, out.exit1].map((t) => {
        const e = Array.from(t?.data as Float32Array, (v) => Math.exp(v));
        return Math.max(...e) / e.reduce((a, b) => a + b);
      });
      expect(success).toBe(surest.every((p) => p < 0.9));
    }
    expect(outcomes.every((o) => o.eligible)).toBe(true);
    expect(successes(outcomes)).toBeGreaterThan(2);
    expect(successes(outcomes)).toBeLessThan(22);
  });
});
