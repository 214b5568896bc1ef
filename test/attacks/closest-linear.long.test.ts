/** @file Methods that search for the closest image, on exits that are linear in the pixels. The nearest boundary between
 *  the label and another class lies at the difference of their logits, divided by the dual norm of the difference of their
 *  weights. */
import { describe, expect, test } from "vitest";
import type { AttackConfig } from "../../src/attacks/spec.js";
import { NORMS } from "../../src/perturb/norms.js";
import type { Norm } from "../../src/schema/norm.js";
import { attackWith, type LinearExit, linearExits, linearSample, logitsAt, questionsOf } from "../support/attack.js";
import { victimOf } from "../support/models.js";

const WEIGHTS = [
  [0.9, -0.4, 0.2, -1.1, 0.6, 0.3],
  [-0.3, 0.8, -0.7, 0.2, 0.5, -0.9],
  [0.4, 0.1, 1.2, 0.3, -0.8, 0.2],
  [-0.6, -0.5, 0.3, 0.9, 0.1, 0.7],
];
const BIAS = [0.1, -0.05, 0, 0.08];
const IMAGES = [
  [0.5, 0.45, 0.55, 0.5, 0.6, 0.4],
  [0.55, 0.6, 0.4, 0.45, 0.5, 0.5],
  [0.45, 0.5, 0.62, 0.5, 0.42, 0.52],
  [0.4, 0.42, 0.5, 0.6, 0.5, 0.6],
];

const exitsTimes = (factor: number): LinearExit[] => [
  { weights: WEIGHTS.map((row) => row.map((w) => w * factor)), bias: BIAS.map((b) => b * factor) },
];

/** The smallest distance at which another class wins, whatever [0,1] allows. */
function nearest(image: readonly number[], norm: Norm, target?: number): number {
  const z = logitsAt(exitsTimes(1), image)[0];
  const label = z.indexOf(Math.max(...z));
  const to = (k: number): number => {
    const slope = WEIGHTS[k].map((w, i) => Math.abs(w - WEIGHTS[label][i]));
    const dual = {
      linf: slope.reduce((a, b) => a + b),
      l2: Math.hypot(...slope),
      l1: Math.max(...slope),
      l0: Number.NaN,
    };
    return (z[label] - z[k]) / dual[norm];
  };
  const others = WEIGHTS.map((_, k) => k).filter((k) => k !== label && (target === undefined || k === target));
  return Math.min(...others.map(to));
}

async function distances(config: Omit<AttackConfig, "name">, factor = 1, images = IMAGES): Promise<number[]> {
  const exits = exitsTimes(factor);
  const samples = images.map((pixels, id) => linearSample(exits, pixels, { id }));
  const outcomes = await attackWith(victimOf(linearExits(exits)), samples, config);
  return outcomes.map(({ success, image }, i) =>
    success ? NORMS[(config.norm ?? "l2") as Norm].distance(image, samples[i].pixels) : Number.POSITIVE_INFINITY,
  );
}

const expected = (norm: Norm): number[] => IMAGES.map((image) => nearest(image, norm));

test("the boundaries are near enough that [0,1] does not matter", () => {
  for (const norm of ["l2", "linf", "l1"] as const)
    for (const distance of expected(norm)) {
      expect(distance).toBeGreaterThan(0.01);
      expect(distance).toBeLessThan(norm === "linf" ? 0.2 : 0.3);
    }
});

describe("DeepFool", () => {
  test.each(["l2", "linf"] as const)(
    "reaches the nearest boundary in one step, and 2 percent farther: %s",
    async (norm) => {
      const found = await distances({ method: "deepfool", norm });
      for (const [i, want] of expected(norm).entries()) expect(found[i]).toBeCloseTo(1.02 * (want + 1e-4), 5);
    },
  );

  test("moves as far beyond as the overshoot says", async () => {
    const found = await distances({ method: "deepfool", overshoot: 0.5 });
    for (const [i, want] of expected("l2").entries()) expect(found[i]).toBeCloseTo(1.5 * (want + 1e-4), 5);
  });
});

/** Methods that come near the closest image, and by how much they may miss it. */
const NEAR = [
  { method: "ddn", norm: "l2", within: 1.06 },
  { method: "fmn", norm: "l2", within: 1.02 },
  { method: "fmn", norm: "linf", within: 1.02 },
  { method: "fmn", norm: "l1", within: 1.02 },
  { method: "cw", norm: "l2", within: 1.02 },
  { method: "cw", norm: "linf", within: 1.12 },
  { method: "brendel-bethge", norm: "l2", steps: 200, stepSize: 0.05, within: 1.005 },
  { method: "brendel-bethge", norm: "linf", steps: 200, stepSize: 0.05, within: 1.005 },
  { method: "brendel-bethge", norm: "l1", steps: 200, stepSize: 0.05, within: 1.005 },
] as const;

test.each(NEAR)("$method in $norm comes within $within of the closest image", async ({ within, ...config }) => {
  const found = await distances(config);
  for (const [i, want] of expected(config.norm).entries()) {
    expect(found[i]).toBeGreaterThan(want * 0.9999 - 1e-6);
    expect(found[i]).toBeLessThan(want * within + 1e-4);
  }
});

test.each([
  { method: "ddn", norm: "l2", within: 1.06 },
  { method: "fmn", norm: "l2", within: 1.02 },
  { method: "cw", norm: "l2", within: 1.02 },
] as const)("$method with a target comes near the closest image that all other classes lose on", async (row) => {
  const { within, ...config } = row;
  const found = await distances({ ...config, target: 1 });
  const labels = IMAGES.map((image) => logitsAt(exitsTimes(1), image)[0]).map((z) => z.indexOf(Math.max(...z)));
  const free = labels.map((label, i) => (label === 1 ? 0 : nearest(IMAGES[i], "l2", 1)));
  expect(free.filter((d) => d > 0).length).toBeGreaterThan(1);
  for (const [i, least] of free.entries()) expect(found[i]).toBeGreaterThan(least * 0.9999 - 1e-6);
  // Where no third class is in the way, the boundary of the target alone decides.
  expect(free.filter((least, i) => least > 0 && found[i] < least * within + 1e-4).length).toBeGreaterThan(0);
});

/** The change of least |d|^2 + weight * |d|_1 that reaches a boundary. Each value is max(c * slope - weight, 0) / 2, and c
 *  is such that the change just reaches the boundary. The least over the boundaries, in L1 and in L2. */
function elasticNet(image: readonly number[], weight: number): { l1: number; l2: number } {
  const z = logitsAt(exitsTimes(1), image)[0];
  const label = z.indexOf(Math.max(...z));
  const solutions = WEIGHTS.filter((_, k) => k !== label).map((row) => {
    const slopes = row.map((w, i) => Math.abs(w - WEIGHTS[label][i]));
    const change = (c: number) => slopes.map((slope) => Math.max(c * slope - weight, 0) / 2);
    const rise = (c: number) => change(c).reduce((sum, d, i) => sum + d * slopes[i], 0);
    let [low, high] = [0, 1000];
    for (let halving = 0; halving < 60; halving++) {
      const c = (low + high) / 2;
      if (rise(c) < z[label] - z[WEIGHTS.indexOf(row)]) low = c;
      else high = c;
    }
    return change(high);
  });
  return {
    l1: Math.min(...solutions.map((d) => d.reduce((a, b) => a + b))),
    l2: Math.min(...solutions.map((d) => Math.hypot(...d))),
  };
}

describe("the radius of the search", () => {
  const [exit] = exitsTimes(1);
  const radiiOf = (config: Omit<AttackConfig, "name">, most: number) => {
    const sample = linearSample([exit], IMAGES[0]);
    return questionsOf(exit, sample, config, most).map(({ images: [image], met: [met] }) => ({
      radius: NORMS.l2.distance(image, sample.pixels),
      met,
    }));
  };

  test("DDN shrinks and grows by gamma", () => {
    const all = radiiOf({ method: "ddn", gamma: 0.04, startNorm: 0.1, steps: 40 }, 40);
    expect(all[1].radius).toBeCloseTo(0.104, 6);
    expect(new Set(all.slice(1).map(({ met }) => met)).size).toBe(2);
    for (const [k, { radius, met }] of all.slice(1, -1).entries())
      expect(all[k + 2].radius / radius).toBeCloseTo(met ? 0.96 : 1.04, 4);
  });

  test("FMN shrinks and grows by a share that falls along half a cosine", () => {
    // The first steps are longer than the ball, so the image is at its border.
    const all = radiiOf({ method: "fmn", gamma: 0.04, steps: 40 }, 40);
    const from = all.findIndex(({ met }) => met);
    expect(new Set(all.slice(from, from + 8).map(({ met }) => met)).size).toBe(2);
    for (const [k, { radius, met }] of all.slice(from, from + 8).entries()) {
      const gamma = 0.001 + (0.039 * (1 + Math.cos((Math.PI * (from + k)) / 40))) / 2;
      expect(all[from + k + 1].radius / radius).toBeCloseTo(met ? 1 - gamma : 1 + gamma, 4);
    }
  });
});

// The least of |d|^2 - c * margin on a plane lies at c * slope / 2. It reaches the plane from c = 2 * gap / slope^2 on.
test.each([
  [0.8, false],
  [1.25, true],
])("C&W succeeds from the weight on at which distance and margin balance: %f of it", async (share, expected) => {
  const slope = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
  const exit = { weights: [slope.map(() => 0), slope], bias: [0, 0.15] };
  const sample = linearSample([exit], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  const c = (share * 2 * (sample.clean[0][1] - sample.clean[0][0])) / Math.hypot(...slope) ** 2;
  const config = { method: "cw", c, searchSteps: 1, steps: 400, stepSize: 0.002 };
  const [{ success }] = await attackWith(victimOf(linearExits([exit])), [sample], config);
  expect(success).toBe(expected);
});

describe("EAD", () => {
  async function lengths(config: Omit<AttackConfig, "name" | "method">): Promise<{ l1: number; l2: number }[]> {
    const exits = exitsTimes(1);
    const samples = IMAGES.map((pixels, id) => linearSample(exits, pixels, { id }));
    const outcomes = await attackWith(victimOf(linearExits(exits)), samples, { method: "ead", ...config });
    return outcomes.map(({ success, image }, i) => {
      expect(success).toBe(true);
      return { l1: NORMS.l1.distance(image, samples[i].pixels), l2: NORMS.l2.distance(image, samples[i].pixels) };
    });
  }

  // A shrinkage by beta after each step of length s is a weight of beta / s.
  test.each([0, 0.0001])("finds the elastic-net change of weight beta / stepSize: beta %d", async (beta) => {
    const found = await lengths({ beta, rule: "elastic-net" });
    for (const [i, image] of IMAGES.entries()) {
      const want = elasticNet(image, beta / 0.01);
      expect(Math.abs(found[i].l1 / want.l1 - 1)).toBeLessThan(beta === 0 ? 0.0005 : 0.005);
      expect(Math.abs(found[i].l2 / want.l2 - 1)).toBeLessThan(beta === 0 ? 0.0005 : 0.002);
    }
  });

  test("finds sparser changes while its steps become shorter", async () => {
    const found = await lengths({});
    for (const [i, image] of IMAGES.entries()) {
      expect(found[i].l1).toBeGreaterThan(nearest(image, "l1") * 0.9999);
      expect(found[i].l1).toBeLessThan(elasticNet(image, 0.001 / 0.01).l1);
    }
  });
});

/** The fewest values of which a change can make another class win: for each class, values count by what they can add. */
function fewest(image: readonly number[]): number {
  const z = logitsAt(exitsTimes(1), image)[0];
  const label = z.indexOf(Math.max(...z));
  const needed = (k: number): number => {
    const gains = image.map((x, i) => {
      const slope = WEIGHTS[k][i] - WEIGHTS[label][i];
      return slope > 0 ? slope * (1 - x) : -slope * x;
    });
    gains.sort((a, b) => b - a);
    let [gap, count] = [z[label] - z[k], 0];
    while (gap >= 0 && count < gains.length) gap -= gains[count++];
    return gap < 0 ? count : Number.POSITIVE_INFINITY;
  };
  return Math.min(...WEIGHTS.map((_, k) => (k === label ? Number.POSITIVE_INFINITY : needed(k))));
}

test.each([{ method: "fmn" }, { method: "jsma", gamma: 1 }, { method: "cw" }] as const)(
  "$method changes at most one value more than the fewest that suffice",
  async (config) => {
    const found = await distances({ ...config, norm: "l0" });
    for (const [i, image] of IMAGES.entries()) {
      expect(found[i]).toBeGreaterThanOrEqual(fewest(image));
      expect(found[i]).toBeLessThanOrEqual(fewest(image) + 1);
    }
  },
);

test("cw in l0 keeps the value whose slope times change is largest, though its change is the smallest", async () => {
  // The steep value can rise by 0.03 and add 1.2. Each flat one can add 0.5, and 1 is missing.
  const weights = [
    [0, 0, 0, 0, 0, 0],
    [40, 1, 1, 1, 1, 1],
  ];
  const exits = [{ weights, bias: [0, -42.3] }];
  const sample = linearSample(exits, [0.97, 0.5, 0.5, 0.5, 0.5, 0.5]);
  // With a large weight, the squared distance does not hold the flat values back.
  const config = { method: "cw", norm: "l0", c: 100 } as const;
  const [{ image, success }] = await attackWith(victimOf(linearExits(exits)), [sample], config);
  expect(success).toBe(true);
  expect(image[0]).toBeGreaterThan(0.995);
  expect(Array.from(image.subarray(1))).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
});

describe("SparseFool", () => {
  // No two slopes are alike, so the order of the moves is certain.
  const weights = WEIGHTS.map((row, k) => row.map((w, i) => w + 0.01 * i * k));
  const exits = [{ weights, bias: BIAS }];

  /** Moves along the steepest values, until the nearest plane of L2, at lambda times its distance, lies a thousandth
   *  behind. Then 2 percent farther. */
  function sparse(image: readonly number[], lambda: number): number[] {
    const z = logitsAt(exits, image)[0];
    const label = z.indexOf(Math.max(...z));
    const slopesOf = (k: number) => weights[k].map((w, i) => w - weights[label][i]);
    const to = (k: number) => (k === label ? Number.POSITIVE_INFINITY : (z[label] - z[k]) / Math.hypot(...slopesOf(k)));
    const rival = [0, 1, 2, 3].reduce((a, b) => (to(b) < to(a) ? b : a));
    const unit = slopesOf(rival).map((w) => w / Math.hypot(...slopesOf(rival)));
    const move = [0, 0, 0, 0, 0, 0];
    const left = () => lambda * (to(rival) + 1e-4) + 1e-3 - unit.reduce((sum, w, i) => sum + w * move[i], 0);
    const order = unit.map((_, i) => i).sort((a, b) => Math.abs(unit[b]) - Math.abs(unit[a]));
    for (const i of order) if (left() > 1e-9) move[i] = Math.min(Math.max(left() / unit[i], -image[i]), 1 - image[i]);
    return image.map((x, i) => Math.min(Math.max(x + 1.02 * move[i], 0), 1));
  }

  test.each([1, 3, 12])(
    "moves the steepest values to a plane at lambda times the distance: lambda %d",
    async (lambda) => {
      const samples = IMAGES.map((pixels, id) => linearSample(exits, pixels, { id }));
      const outcomes = await attackWith(victimOf(linearExits(exits)), samples, { method: "sparsefool", lambda });
      for (const [i, { image, success }] of outcomes.entries()) {
        expect(success).toBe(true);
        sparse(IMAGES[i], lambda).forEach((want, k) => expect(image[k]).toBeCloseTo(want, 4));
      }
    },
  );
});

describe("logits times a factor", () => {
  const configs = [
    ...NEAR,
    { method: "ead", norm: "l1" },
    { method: "deepfool", norm: "l2" },
    { method: "deepfool", norm: "linf" },
  ] as const;
  const sparse = ["fmn", "jsma", "sparsefool", "cw"].map((method) => ({ method, norm: "l0" as const }));

  test.each([...configs, ...sparse])("do not change the distances: $method $norm", async (row) => {
    const { within: _, ...config } = { within: 0, ...row };
    const [usual, small, large] = [
      await distances(config),
      await distances(config, 0.01),
      await distances(config, 100),
    ];
    expect(usual.every(Number.isFinite)).toBe(true);
    for (const [i, want] of usual.entries()) {
      expect(Math.abs(small[i] / want - 1)).toBeLessThan(0.03);
      expect(Math.abs(large[i] / want - 1)).toBeLessThan(0.03);
    }
  });
});

test.each(["l2", "linf"] as const)(
  "C&W that ends runs without progress finds the same with less work: %s",
  async (norm) => {
    const exits = exitsTimes(1);
    const samples = IMAGES.slice(0, 2).map((pixels, id) => linearSample(exits, pixels, { id }));
    const run = (abortEarly: boolean) =>
      attackWith(victimOf(linearExits(exits)), samples, { method: "cw", norm, steps: 200, searchSteps: 5, abortEarly });
    const [whole, ended] = [await run(false), await run(true)];
    for (const [i, { image, spent }] of ended.entries()) {
      const [far, near] = [image, whole[i].image].map((x) => NORMS[norm].distance(x, samples[i].pixels));
      expect(far).toBeLessThan(1.05 * near);
      expect(spent.gradients).toBeLessThan(0.8 * whole[i].spent.gradients);
    }
  },
);
