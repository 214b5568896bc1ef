/** @file The query methods, on linear networks whose closest images are known: the logits are (0, w.x + b), so the closest
 *  misclassified image lies at |w.x + b| / ||w||_1 in Linf and at |w.x + b| / ||w||_2 in L2. */
import { describe, expect, test } from "vitest";
import { NORMS } from "../../src/perturb/norms.js";
import { attackWith, linearExits, linearSample, logitsAt } from "../support/attack.js";
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
    { method: "boundary", norm: "l2", steps: 1500, sphericalStep: 0.1, sourceStep: 0.1, within: 1.03 },
    { method: "geoda", norm: "l2", queries: 3000, rounds: 6, within: 1.03 },
    { method: "geoda", norm: "linf", queries: 3000, rounds: 6, within: 1.06 },
  ] as const)("comes near the distance of the plane: $method $norm", async ({ within, ...config }) => {
    const outcomes = await attackWith(victim, samples, config);
    outcomes.forEach(({ image, success }, i) => {
      expect(success).toBe(true);
      const distance = NORMS[config.norm].distance(image, samples[i].pixels);
      expect(distance).toBeGreaterThanOrEqual(closest(samples[i], config.norm) * 0.9999);
      expect(distance).toBeLessThanOrEqual(closest(samples[i], config.norm) * within);
    });
  });

  test.each([
    { method: "hopskipjump", norm: "l2", steps: 12, gamma: 0.01, within: 1.03 },
    { method: "boundary", norm: "l2", steps: 1500, sphericalStep: 0.1, sourceStep: 0.1, within: 1.03 },
    { method: "brendel-bethge", norm: "l2", steps: 60, stepSize: 0.02, within: 1.01 },
  ] as const)("begins at an image of its target, and comes near the plane: $method", async ({ within, ...config }) => {
    const other = linearSample(EXITS, [0, 1, 0.2, 1, 0, 0.3], { id: 3 });
    expect([...samples, other].map(({ label }) => label)).toEqual([1, 1, 1, 0]);
    const outcomes = await attackWith(victim, [...samples, other], { ...config, target: 0 });
    outcomes.slice(0, 3).forEach(({ image, success, spent }, i) => {
      expect(success).toBe(true);
      expect(spent.queriesToSuccess).toBe(1);
      const distance = NORMS.l2.distance(image, samples[i].pixels);
      expect(distance).toBeGreaterThanOrEqual(closest(samples[i], "l2") * 0.9999);
      expect(distance).toBeLessThanOrEqual(closest(samples[i], "l2") * within);
    });
  });

  test("begins at the nearest image that the network gives the target to", async () => {
    // The nearest has the class, and the network does not see it. So the second query is the first success.
    const unseen = { ...linearSample(EXITS, [0.55, 0.5, 0.5, 0.5, 0.5, 0.5], { id: 4 }), label: 0 };
    const far = linearSample(EXITS, [0, 1, 0.2, 1, 0, 0.3], { id: 5 });
    const config = { method: "hopskipjump", target: 0, steps: 1 } as const;
    const [{ spent }] = await attackWith(victim, [samples[0], far, unseen], config);
    expect(spent.queriesToSuccess).toBe(2);
  });

  test("says that no other sample has the class of the target", async () => {
    const run = attackWith(victim, samples, { method: "hopskipjump", target: 0 });
    await expect(run).rejects.toMatchObject({ code: "attack/start" });
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

/** Each has its distance of the plane in its norm. A radius a little larger is enough, and a smaller one is not. */
describe("a query method with a radius", () => {
  const cases = [
    { method: "nes", norm: "linf", steps: 40, directions: 32 },
    { method: "nes", norm: "l2", steps: 40, directions: 32 },
    { method: "spsa", norm: "linf", steps: 40, directions: 32 },
    { method: "simba", norm: "linf", stepSize: 0.05, queries: 500 },
  ] as const;

  test.each(cases)("succeeds exactly where the radius passes the plane: $method $norm", async (config) => {
    for (const sample of samples) {
      const radius = closest(sample, config.norm);
      const [near] = await attackWith(victim, [sample], { ...config, radius: 0.97 * radius });
      const [far] = await attackWith(victim, [sample], { ...config, radius: 1.1 * radius });
      expect([near.success, far.success]).toEqual([false, true]);
      expect(NORMS[config.norm].distance(far.image, sample.pixels)).toBeLessThanOrEqual(1.1 * radius * 1.00001);
    }
  });

  test("estimates the gradient of a linear loss: the L2 step of nes goes along the weights", async () => {
    const radius = 0.01;
    const [{ image }] = await attackWith(victim, [samples[0]], {
      method: "nes",
      norm: "l2",
      radius,
      stepSize: radius,
      steps: 1,
      directions: 2000,
    });
    const along = image.reduce((sum, v, i) => sum - ((v - 0.5) * W[i]) / (radius * DUAL.l2), 0);
    expect(along).toBeGreaterThan(0.99);
    expect(along).toBeLessThan(1.0001);
  });

  test("steps of spsa begin with the learning rate, as those of Adam", async () => {
    const [{ image }] = await attackWith(victim, [samples[0]], {
      method: "spsa",
      radius: 0.2,
      stepSize: 0.004,
      steps: 1,
      directions: 500,
    });
    image.forEach((v, i) => expect(v - 0.5).toBeCloseTo(-0.004 * Math.sign(W[i]), 5));
  });

  test("simba takes steps of its length along single values", async () => {
    const config = { method: "simba", norm: "l2", radius: 0.2, stepSize: 0.05, queries: 13 };
    const [{ image, spent }] = await attackWith(victim, [samples[0]], config);
    expect(spent.queries).toBeLessThanOrEqual(13);
    const taken = Array.from(image, (v, i) => (v - 0.5) / (-0.05 * Math.sign(W[i])));
    for (const steps of taken) expect(steps).toBeCloseTo(Math.max(1, Math.round(steps)), 5);
    // The first look is one query. A step costs one query forwards and two backwards.
    const total = taken.reduce((sum, steps) => sum + Math.round(steps), 0);
    expect(total).toBeGreaterThanOrEqual(6);
    expect(total).toBeLessThanOrEqual(12);
  });
});

describe("cost-walk", () => {
  // Exit 0 fires at |w.x + b| >= log(0.6 / 0.4). The other exit never decides the cost before it.
  const two = [EXITS[0], { weights: [W.map(() => 0), W.map((w) => -w)], bias: [0, 0.3] }];
  const slow = victimOf(linearExits(two), 0.6);
  const logit = Math.log(0.6 / 0.4);
  const sure = linearSample(two, [0.7, 0.3, 0.6, 0.35, 0.7, 0.6]);
  const gap = sure.clean[0][1];

  test("raises the cost where the ball reaches an image that the first exit is not sure of", async () => {
    expect(gap).toBeGreaterThan(logit);
    const needed = (gap - logit) / DUAL.linf;
    const run = (radius: number) =>
      attackWith(slow, [sure], { goal: "slowdown", method: "cost-walk", radius, queries: 400 });
    const [[near], [far]] = [await run(0.9 * needed), await run(1.3 * needed)];
    expect([near.success, far.success]).toEqual([false, true]);
    expect(far.spent.queries).toBeGreaterThan(1);
    const [row] = logitsAt(two, far.image);
    expect(Math.abs(row[1] - row[0])).toBeLessThan(logit);
  });

  test("lowers the confidence within a ball that is too small, unless the confidence is not shown", async () => {
    const run = (confidence: boolean) =>
      attackWith(slow, [sure], { goal: "slowdown", method: "cost-walk", radius: 0.01, queries: 200, confidence });
    const [[shown], [hidden]] = [await run(true), await run(false)];
    expect(logitsAt(two, shown.image)[0][1]).toBeCloseTo(gap - 0.01 * DUAL.linf, 4);
    expect(hidden.image).toEqual(sure.pixels);
  });
});
