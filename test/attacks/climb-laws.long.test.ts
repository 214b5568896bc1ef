/** @file What holds for every gradient method of fixed budget and every control, whatever the goal. */
import { describe, expect, test } from "vitest";
import type { SampleOutcome } from "../../src/attacks/attack.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { NORMS } from "../../src/perturb/norms.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const victim = victimOf(model);
const samples = await samplesOf(model, 9);
const evaluator = new Evaluator(model, { backend: ortNode({ threads: 1 }) });
type Config = Omit<AttackConfig, "name">;

const attack = (config: Config, batch = 8): Promise<SampleOutcome[]> =>
  runAttack(configureAttack({ name: "t", ...config }, victim), samples, { evaluator, seed: 1, batch });

const CLIMBS: readonly Config[] = [
  { method: "bim" },
  { method: "mim" },
  { method: "mim", norm: "l2", radius: 0.5 },
  { method: "nim" },
  { method: "sim", copies: 2 },
  { method: "sini", copies: 3 },
  { method: "vmi", neighbours: 2 },
  { method: "vni", neighbours: 2 },
  { method: "dim" },
  { method: "tim", kernel: 3, probability: 0.5 },
  { method: "rfgsm" },
  { method: "tpgd" },
  { method: "jitter" },
  { method: "eot-pgd", noise: 0.02 },
  { method: "slide", norm: "l1", radius: 4 },
  { method: "pgd", norm: "l1", radius: 4 },
].map((config) => ({ steps: 4, radius: 0.05, ...config }));

const CONTROLS: readonly Config[] = [
  { method: "sign-noise", radius: 0.05, tries: 2 },
  { method: "uniform-noise", norm: "l1", radius: 4, tries: 2 },
  { method: "gaussian-noise", norm: "l2", radius: 0.5, tries: 2 },
  { method: "salt-and-pepper", steps: 10 },
  { method: "gaussian-blur", steps: 10 },
  { method: "contrast", steps: 10 },
  { method: "rotate-translate", angles: 3, shifts: 2 },
];

const ALL = [...CLIMBS, { method: "ffgsm", radius: 0.05 }, ...CONTROLS].map((config): [string, Config] => [
  `${config.method} ${config.norm ?? ""}`,
  config,
]);
const GOALS = ["misclassify:final", "average", "routed", "slowdown"];

const expectInside = (outcomes: readonly SampleOutcome[], config: Config): void => {
  const { norm, radius } = configureAttack({ name: "t", ...config }, victim).budget;
  for (const [i, { image }] of outcomes.entries()) {
    if (radius !== undefined)
      expect(NORMS[norm].distance(image, samples[i].pixels)).toBeLessThanOrEqual(radius * (1 + 1e-5) + 1e-6);
    expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...image)).toBeLessThanOrEqual(1);
  }
};

describe.each(ALL)("%s", (_, config) => {
  test("stays in the ball and in [0,1] for every goal, with the same bytes at any batch", async () => {
    const before = samples.map(({ pixels }) => Float32Array.from(pixels));
    for (const goal of GOALS) {
      const [one, eight, all] = await Promise.all([1, 8, 64].map((batch) => attack({ ...config, goal }, batch)));
      expectInside(all, config);
      expect(one).toEqual(all);
      expect(eight).toEqual(all);
    }
    expect(samples.map(({ pixels }) => pixels)).toEqual(before);
  });

  test("aims at a class where it can", async () => {
    if (config.method === "tpgd") {
      await expect(async () => attack({ ...config, target: 1 })).rejects.toThrow("no targeted form");
      return;
    }
    const outcomes = await attack({ ...config, target: "least-likely" });
    expectInside(outcomes, config);
    const wrong = await attack(config);
    const won = (found: readonly SampleOutcome[]): number => found.filter(({ success }) => success).length;
    expect(won(outcomes)).toBeLessThanOrEqual(won(wrong));
  });
});

describe.each(CLIMBS.map((config) => [`${config.method} ${config.norm ?? ""}`, config] as const))("%s", (_, config) => {
  test("never does worse with more steps", async () => {
    const stepSize = Number(config.radius) / 4;
    const [few, many] = [
      await attack({ ...config, stepSize, steps: 2 }),
      await attack({ ...config, stepSize, steps: 6 }),
    ];
    for (const [i, { success }] of few.entries()) if (success) expect(many[i].success).toBe(true);
  });

  test("returns its last iterate when told to", async () => {
    const best = await attack({ ...config, iterate: "best" });
    const last = await attack({ ...config, iterate: "last" });
    expect(best.filter((o) => o.success).length).toBeGreaterThanOrEqual(last.filter((o) => o.success).length);
    expectInside(last, config);
  });
});
