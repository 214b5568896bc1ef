/** @file The goals of dynamic networks beside misclassification, on linear exits: their losses against the definition, and
 *  their successes against what the routed network then does. */
import { describe, expect, test } from "vitest";
import { targetOf } from "../../src/attacks/goals/targets.js";
import { softmaxRow } from "../../src/dynamic/route/policy.js";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, linearExits, linearSample, logitsAt, lossAt } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const W = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
const FINAL = [0.2, 0.7, -0.3, 0.1, 0.1, -0.2];
const EXITS = [
  { weights: [W.map(() => 0), W], bias: [0, 0.15] },
  { weights: [W.map(() => 0), W.map((w, i) => 0.5 * w + 0.2 * FINAL[i])], bias: [0, 0.2] },
  { weights: [FINAL.map(() => 0), FINAL], bias: [0, 0.4] },
];
const model = linearExits(EXITS);
const pixels = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
const sample = linearSample(EXITS, pixels);
const image = [0.45, 0.52, 0.5, 0.6, 0.4, 0.5];
const rows = logitsAt(EXITS, image);
/** The margin against the final label of the clean image, 1. */
const margins = rows.map(([zero, one]) => zero - one);
const flatnessOf = (row: readonly number[]) =>
  Array.from(softmaxRow(Float32Array.from(row)), Math.log).reduce((sum, v) => sum + v, 0) / row.length;

describe("early:minimum", () => {
  const victim = victimOf(model, 0.6);

  test.each([
    { exits: undefined, loss: Math.min(margins[0], margins[1], -margins[2]) },
    { exits: "1", loss: Math.min(margins[1], -margins[2]) },
  ])("has the worst margin as its loss: exits $exits", async ({ exits, loss }) => {
    const config = { goal: "early:minimum", radius: 0.1, ...(exits === undefined ? {} : { exits }) };
    expect((await lossAt(victim, config, sample, image)).loss).toBeCloseTo(loss, 5);
  });

  test("finds the plane of the chosen exit, where the final exit keeps its label", async () => {
    const config = { goal: "early:minimum", exits: "0", method: "hopskipjump", steps: 12, gamma: 0.01 };
    const [outcome] = await attackWith(victim, [sample], config);
    const [[zero, one]] = logitsAt(EXITS, pixels);
    const distance = (one - zero) / Math.hypot(...W);
    const found = NORMS.l2.distance(outcome.image, sample.pixels);
    expect(outcome.success).toBe(true);
    expect(found / distance).toBeGreaterThan(0.9999);
    expect(found / distance).toBeLessThan(1.03);
  });

  test("refuses an exit that it cannot change", () => {
    expect(() => attackWith(victim, [sample], { goal: "early:minimum", exits: "0,2", radius: 0.1 })).toThrow(
      /exits that it can change are 0 to 1/,
    );
    const two = { ...victim, model: { ...victim.model, exits: victim.model.exits.slice(1) } };
    expect(() => attackWith(two, [sample], { goal: "early:minimum", exits: "3", radius: 0.1 })).toThrow(
      /exit 0 is the only one that it can change. Leave exits out/,
    );
  });
});

describe("speed-up", () => {
  const routed = (image: ArrayLike<number>, threshold: number) => {
    const probabilities = logitsAt(EXITS, image).map((row) => Array.from(softmaxRow(Float32Array.from(row))));
    const fires = probabilities.findIndex((p) => Math.max(...p) >= threshold);
    const stop = fires < 0 ? 2 : fires;
    return { stop, label: probabilities[stop][1] > probabilities[stop][0] ? 1 : 0 };
  };

  test("succeeds with a wrong answer at an earlier exit, and only so", async () => {
    const threshold = 0.6;
    const victim = victimOf(model, threshold);
    expect(routed(pixels, threshold)).toEqual({ stop: 2, label: 1 });
    for (const [radius, expected] of [
      [0.08, false],
      [0.25, true],
    ] as const) {
      const [outcome] = await attackWith(victim, [sample], { goal: "speed-up", radius, steps: 20 });
      const after = routed(outcome.image, threshold);
      expect(outcome.success).toBe(expected);
      expect(after.stop < 2 && after.label === 0).toBe(expected);
    }
  });

  test("cannot succeed where the clean image leaves at the first exit", async () => {
    const [outcome] = await attackWith(victimOf(model, 0.5), [sample], { goal: "speed-up", radius: 0.3 });
    expect(outcome).toMatchObject({ eligible: true, success: false });
  });
});

describe("slowdown", () => {
  const victim = victimOf(model, 0.6);
  const flat = rows.slice(0, 2).map(flatnessOf);
  const held = Math.min(-margins[2], 1);

  test.each([
    [{}, flat[0] + flat[1]],
    [{ form: "first" }, flat[0]],
    [{ form: "learned" }, -2 * Math.log(Math.exp(-flat[0]) + Math.exp(-flat[1]))],
    [{ keepLabel: true }, flat[0] + flat[1] + 2 * held],
  ])("has the loss of its form: %j", async (form, loss) => {
    const config = { goal: "slowdown", radius: 0.1, ...form };
    expect((await lossAt(victim, config, sample, image)).loss).toBeCloseTo(loss, 5);
  });

  test("keeps the final label only where it is told to", async () => {
    const away = linearSample(EXITS, [0.9, 0.05, 0.95, 0.1, 0.9, 0.95]);
    const under = victimOf(model, 0.55);
    const config = { goal: "slowdown", radius: 0.7, steps: 40, stepSize: 0.05, randomStart: false };
    const [kept] = await attackWith(under, [away], { ...config, keepLabel: true });
    expect(kept.success).toBe(true);
    const label = (image: ArrayLike<number>) => (logitsAt(EXITS, image)[2][1] > 0 ? 1 : 0);
    expect(label(kept.image)).toBe(label(away.pixels));
  });
});

describe("the target second", () => {
  test("is the most likely class other than the label", () => {
    const clean = [
      [9, 0, 1],
      [9, 0, 1],
      [0.8, 0.3, 0.67],
    ].map((row) => Float32Array.from(row));
    const aim = targetOf("second", victimOf(model));
    const of = (label: number) => aim({ id: 0, pixels: new Float32Array(1), clean, label }, 0);
    expect([of(0), of(1), of(2)]).toEqual([2, 0, 0]);
  });
});
