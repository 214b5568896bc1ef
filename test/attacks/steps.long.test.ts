/** @file What the methods of attacks do step by step, on networks whose gradients are known:
 *  steps, projections, starts, restarts, and the check that a success survives rounding to 8
 *  bits. */
import { describe, expect, test } from "vitest";
import type { SampleOutcome } from "../../src/attacks/attack.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { attackWith, type LinearExit, linearExits, linearSample, logitsAt } from "../support/attack.js";
import { victimOf } from "../support/models.js";

/** Two classes, logits (0, u.x + bias): the gradient of any loss that leaves class 0 points
 *  along u. */
const binary = (u: readonly number[], bias: number): LinearExit => ({ weights: [u.map(() => 0), u], bias: [0, bias] });
const victimFor = (exit: LinearExit) => victimOf(linearExits([exit]));
const only = async (...args: Parameters<typeof attackWith>): Promise<SampleOutcome> => (await attackWith(...args))[0];

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...Array.from(a, (v, i) => v - b[i]));
const FINAL = { objective: "misclassify:final" } as const;

describe("steps on a network that stays right whatever happens", () => {
  const U = [3, -4];
  const exit = binary(U, -50);
  const victim = victimFor(exit);
  const CLEAN = [0.5, 0.6];
  const sample = linearSample([exit], CLEAN);
  const pgd = { ...FINAL, loss: "margin", optimizer: "pgd" } as const;
  const expectAt = (outcome: SampleOutcome, image: readonly number[]): void => {
    expect(outcome.success).toBe(false);
    outcome.image.forEach((v, i) => expect(v).toBeCloseTo(image[i], 6));
  };

  test("of L2 have the stated length, along the gradient", async () => {
    const config = { ...pgd, norm: "l2", radius: 0.4, stepSize: 0.05, steps: 3 } as const;
    expectAt(await only(victim, [sample], config), [0.5 + 0.6 * 0.15, 0.6 - 0.8 * 0.15]);
  });

  test("of Linf have the stated length in every pixel", async () => {
    const config = { ...pgd, norm: "linf", radius: 0.4, stepSize: 0.05, steps: 3 } as const;
    expectAt(await only(victim, [sample], config), [0.65, 0.45]);
  });

  test("end on the L2 ball, in the direction of the gradient", async () => {
    const config = { ...pgd, norm: "l2", radius: 0.1, stepSize: 0.3, steps: 4 } as const;
    expectAt(await only(victim, [sample], config), [0.5 + 0.06, 0.6 - 0.08]);
  });

  test("end in the corner of the Linf ball", async () => {
    const config = { ...pgd, norm: "linf", radius: 0.1, stepSize: 0.3, steps: 4 } as const;
    expectAt(await only(victim, [sample], config), [0.6, 0.5]);
  });

  test.each(["l2", "linf"] as const)("of %s end at black and white", async (norm) => {
    const near = linearSample([exit], [0.97, 0.02]);
    expectAt(await only(victim, [near], { ...pgd, norm, radius: 0.3, stepSize: 0.2, steps: 4 }), [1, 0]);
  });

  test("are as many as asked for, in every restart", async () => {
    const config = { ...pgd, radius: 0.1, steps: 4 } as const;
    expect((await only(victim, [sample], config)).spent.gradients).toBe(4);
    expect((await only(victim, [sample], { ...config, restarts: 3 })).spent.gradients).toBe(12);
  });

  test("make one run for each loss of max, and the image of largest total loss is kept", async () => {
    // One exit pulls to the right, two to the left; the total is larger on the right.
    const exits = [binary([4, 0], -9), binary([-3, 0], -9), binary([-3, 0], -9)];
    const of = victimOf(linearExits(exits));
    const config = { objective: "max", radius: 0.1, stepSize: 0.05, steps: 4 } as const;
    const outcome = await only(of, [linearSample(exits, CLEAN)], config);
    expect(outcome.spent.gradients).toBe(3 * 4);
    const total = (x: number): number =>
      exits.reduce((s, _, k) => s + Math.log1p(Math.exp((k === 0 ? 4 : -3) * x - 9)), 0);
    expect(total(0.6)).toBeGreaterThan(total(0.4));
    expectAt(outcome, [0.6, 0.6]);
  });

  test.each([-1, 1])("go nowhere where there is no gradient, and find nothing there: class %d wins", async (bias) => {
    const flat = binary([0, 0], bias);
    const outcome = await only(victimFor(flat), [linearSample([flat], CLEAN)], { ...pgd, norm: "l2", radius: 0.1 });
    expectAt(outcome, CLEAN);
  });
});

describe("random starts", () => {
  const D = 3;
  const RADIUS = 0.3;
  const COUNT = 500;
  const exit = binary([0, 0, 0], -1);
  const victim = victimFor(exit);
  const clean = new Array<number>(D).fill(0.5);
  const samples = Array.from({ length: COUNT }, (_, id) => linearSample([exit], clean, { id }));
  const still = { ...FINAL, optimizer: "pgd", radius: RADIUS, steps: 1, stepSize: 0, randomStart: true } as const;
  const startsIn = async (norm: "l2" | "linf") =>
    (await attackWith(victim, samples, { ...still, norm }, { batch: COUNT })).map(({ image }) =>
      Array.from(image, (v) => v - 0.5),
    );
  /** Largest distance of the values from a uniform distribution on [0,1] (Kolmogorov and
   *  Smirnov). */
  const unevenness = (values: readonly number[]): number =>
    [...values]
      .sort((a, b) => a - b)
      .reduce((most, v, i) => Math.max(most, Math.abs(v - i / COUNT), Math.abs(v - (i + 1) / COUNT)), 0);
  /** Exceeded by one in a thousand sets of truly uniform values. */
  const CRITICAL = 1.95 / Math.sqrt(COUNT);

  test("in L2 are uniform in the ball: the d-th power of the length is uniform, and so is every direction", async () => {
    const starts = await startsIn("l2");
    const lengths = starts.map((s) => Math.hypot(...s));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(RADIUS + 1e-6);
    expect(unevenness(lengths.map((r) => (r / RADIUS) ** D))).toBeLessThan(CRITICAL);
    // On a sphere in three dimensions every coordinate is uniform (Archimedes).
    for (let i = 0; i < D; i++)
      expect(unevenness(starts.map((s, at) => (1 + s[i] / lengths[at]) / 2))).toBeLessThan(CRITICAL);
  });

  test("in Linf are uniform in the cube", async () => {
    const starts = await startsIn("linf");
    for (let i = 0; i < D; i++) expect(unevenness(starts.map((s) => (s[i] / RADIUS + 1) / 2))).toBeLessThan(CRITICAL);
  });

  test("within a stated distance stay within it, and within the ball when it is larger", async () => {
    for (const [stated, limit] of [
      [0.05, 0.05],
      [0.9, RADIUS],
    ] as const)
      for (const norm of ["linf", "l2"] as const) {
        const some = await attackWith(victim, samples.slice(0, 60), { ...still, norm, randomStart: stated });
        const moved = some.map(({ image }) =>
          norm === "l2" ? distance(image, clean) : Math.max(...image.map((v) => Math.abs(v - 0.5))),
        );
        expect(Math.max(...moved)).toBeLessThanOrEqual(limit + 1e-6);
        expect(Math.max(...moved)).toBeGreaterThan(0.8 * limit);
      }
  });

  test("differ from restart to restart, and the best is kept", async () => {
    const slope = binary([1, 1, 1], -50);
    const some = Array.from({ length: 40 }, (_, id) => linearSample([slope], clean, { id }));
    const sums = async (restarts: number) =>
      (await attackWith(victimFor(slope), some, { ...still, loss: "margin", norm: "linf", restarts })).map(
        ({ image }) => image.reduce((a, b) => a + b),
      );
    const [one, five] = [await sums(1), await sums(5)];
    five.forEach((value, i) => expect(value).toBeGreaterThanOrEqual(one[i]));
    // Of five equally distributed values the first is the largest in one case of five.
    expect(five.filter((value, i) => value > one[i]).length).toBeGreaterThan(20);
  });
});

describe("a success that must survive rounding to 8 bits", () => {
  /** One pixel in units of 1/255, class 1 above the boundary. */
  const above = (boundary: number) => binary([255], -boundary);
  const survives = (boundary: number, { image }: SampleOutcome): boolean => Math.round(image[0] * 255) > boundary;
  const climb = (boundary: number, step: number, rest: { readonly restarts?: number } = {}) =>
    only(victimFor(above(boundary)), [linearSample([above(boundary)], [100 / 255])], {
      ...FINAL,
      optimizer: "pgd",
      radius: 8 / 255,
      stepSize: step / 255,
      steps: 10,
      ...rest,
    });

  test("is not the first one that succeeds: 102.4 is beyond 102.3, and 102 is not", async () => {
    const outcome = await climb(102.3, 0.6);
    expect(outcome.success).toBe(true);
    expect(outcome.image[0] * 255).toBeCloseTo(103, 3);
    expect(outcome.spent.gradients).toBe(6);
  });

  test("is rounded to the nearest value: 102.8 is 103, beyond 102.7", async () => {
    const outcome = await climb(102.7, 0.7);
    expect(outcome.image[0] * 255).toBeCloseTo(102.8, 3);
    expect(outcome.spent.gradients).toBe(5);
  });

  test("ends the attack: no restart follows", async () => {
    expect((await climb(102.3, 0.6, { restarts: 4 })).spent.gradients).toBe(6);
  });

  test("is looked for in the next restart where this one's success does not survive", async () => {
    const [boundary, count] = [101.05, 60];
    const exit = above(boundary);
    const samples = Array.from({ length: count }, (_, id) => linearSample([exit], [100 / 255], { id }));
    const still = { ...FINAL, optimizer: "pgd", radius: 3 / 255, steps: 1, stepSize: 0, randomStart: true } as const;
    const once = await attackWith(victimFor(exit), samples, still);
    const often = await attackWith(victimFor(exit), samples, { ...still, restarts: 40 });
    expect(once.filter((o) => o.success && !survives(boundary, o)).length).toBeGreaterThan(2);
    expect(often.filter((o) => o.success && survives(boundary, o)).length).toBe(count);
  });
});

/** Gradient descent as Kingma and Ba (2015) write it, algorithm 1 with their constants. */
function adam(start: readonly number[], gradientAt: (x: readonly number[]) => number[], steps: number, rate: number) {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  let x = [...start];
  let [m, v] = [x.map(() => 0), x.map(() => 0)];
  for (let t = 1; t <= steps; t++) {
    const g = gradientAt(x);
    m = m.map((old, i) => beta1 * old + (1 - beta1) * g[i]);
    v = v.map((old, i) => beta2 * old + (1 - beta2) * g[i] ** 2);
    const hatM = m.map((value) => value / (1 - beta1 ** t));
    const hatV = v.map((value) => value / (1 - beta2 ** t));
    x = x.map((value, i) => value - (rate * hatM[i]) / (Math.sqrt(hatV[i]) + epsilon));
  }
  return x;
}

describe("Adam on w with image = (tanh w + 1) / 2", () => {
  const U = [1.5, -0.5];
  const CLEAN = [0.4, 0.7];
  const margins = { ...FINAL, optimizer: "adam-tanh", loss: "margin", kappa: 1e3 } as const;
  const pixel = (w: number): number => (Math.tanh(w) + 1) / 2;

  test("takes the steps of Kingma and Ba down the squared distance less c times the margin", async () => {
    const exit = binary(U, -100);
    const c = 0.3;
    const gradientAt = (w: readonly number[]) =>
      w.map((wi, i) => {
        const outer = 2 * (pixel(wi) - CLEAN[i]) - c * U[i];
        return (outer * (1 - Math.tanh(wi) ** 2)) / 2;
      });
    const start = CLEAN.map((p) => Math.atanh(2 * p - 1));
    for (const steps of [1, 2, 5, 40]) {
      const outcome = await only(victimFor(exit), [linearSample([exit], CLEAN)], {
        ...margins,
        c,
        steps,
        stepSize: 0.05,
      });
      expect(outcome).toMatchObject({ success: false, spent: { gradients: steps } });
      const wanted = adam(start, gradientAt, steps, 0.05).map(pixel);
      outcome.image.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 5));
    }
  });

  test("searches c tenfold up to a success, then halfway between the largest failure and the smallest success", async () => {
    // Least of |d|^2 - c (m + u.d) is at d = c u / 2, a success where c is above 2 |m| / |u|^2,
    // which these images make 3, 7 and 0.6.
    const [u, square] = [[0.04, -0.02], 0.04 ** 2 + 0.02 ** 2];
    const exit = binary(u, -1.5 * square - (0.04 * 0.4 - 0.02 * 0.7));
    const images = [0, -2, 1.2].map((t) => [0.4 + 0.04 * t, 0.7 - 0.02 * t]);
    const samples = images.map((pixels, id) => linearSample([exit], pixels, { id }));
    const [steps, searchSteps] = [120, 6];
    const config = { ...margins, c: 1, steps, searchSteps, stepSize: 0.05, checkFrom: steps - 1 } as const;
    const outcomes = await attackWith(victimFor(exit), samples, config, { backend: ortNode({ threads: 1 }) });
    const found = outcomes.map(({ image }, i) => (2 * distance(image, images[i])) / Math.sqrt(square));
    // 1, 10, 5.5, 3.25, 2.125, 2.6875; 1, 10, 5.5, 7.75, 6.625, 7.1875; 1, 0.5, 0.75, 0.625,
    // 0.5625, 0.59375.
    for (const [i, c] of [3.25, 7.1875, 0.625].entries()) {
      expect(outcomes[i]).toMatchObject({ success: true, spent: { gradients: searchSteps * steps } });
      expect(Math.abs(found[i] / c - 1), `c ${found[i]}, expected ${c}`).toBeLessThan(0.01);
    }
  });

  const won = binary(U, 100);
  const wonFrom = (config: Partial<Parameters<typeof attackWith>[2]>) =>
    // Its label is the class that loses from the start, and it counts as right when clean.
    only(victimFor(won), [{ ...linearSample([won], CLEAN, { label: 0 }), clean: [Float32Array.of(1, 0)] }], {
      ...margins,
      steps: 20,
      ...config,
    });

  test("counts no success before the iteration that it is told", async () => {
    expect(await wonFrom({ checkFrom: 7, stopAtSuccess: true })).toMatchObject({
      success: true,
      spent: { gradients: 8 },
    });
    expect(await wonFrom({ checkFrom: 25, stopAtSuccess: true })).toMatchObject({ success: false });
  });

  test("ends at the first success when told so, restarts and rounds of the search included; else goes on", async () => {
    const rest = { restarts: 3, searchSteps: 2, steps: 5 };
    expect((await wonFrom({ ...rest, stopAtSuccess: true })).spent.gradients).toBe(1);
    expect((await wonFrom(rest)).spent.gradients).toBe(3 * 2 * 5);
  });

  test("keeps the closest of its successes where there is no radius", async () => {
    const outcome = await wonFrom({ c: 100 });
    expect(distance(outcome.image, CLEAN)).toBeLessThan(1e-5);
  });

  test("keeps a success when a later iterate fails: Adam overshoots, and comes to rest before the boundary", async () => {
    // Least of |d|^2 - c u.d is at d = c u / 2 = (0.03, -0.01), where u.d = 0.05; the boundary is
    // at u.d = 0.07.
    const exit = binary(U, -(1.5 * 0.4 - 0.5 * 0.7) - 0.07);
    const config = { ...margins, c: 0.04, steps: 300, stepSize: 0.1 } as const;
    const run = (checkFrom: number) => only(victimFor(exit), [linearSample([exit], CLEAN)], { ...config, checkFrom });
    const rest = await run(299);
    expect(rest.success).toBe(false);
    expect(rest.image[0]).toBeCloseTo(0.43, 3);
    expect(rest.image[1]).toBeCloseTo(0.69, 3);
    const kept = await run(0);
    expect(kept.success).toBe(true);
    expect(logitsAt([exit], kept.image)[0]?.[1]).toBeGreaterThan(0);
  });

  test("in the published early attack adds no distance of its own to that of the loss", async () => {
    // The early exit is p sure of its label, and 50 p + |d|^2 is least where d = 25 p (1 - p) u.
    const u = [0.04, -0.02];
    const exits = [binary(u, -1), binary([0, 0], -1)];
    const sure = (x: readonly number[]): number => 1 / (1 + Math.exp(u.reduce((s, w, i) => s + w * x[i], -1)));
    let wanted = [0.5, 0.5];
    for (let i = 0; i < 50; i++) {
      const p = sure(wanted);
      wanted = u.map((w) => 0.5 + 25 * p * (1 - p) * w);
    }
    expect(wanted[0]).toBeGreaterThan(0.65);
    const outcome = await only(victimOf(linearExits(exits)), [linearSample(exits, [0.5, 0.5])], {
      objective: "early:published",
      steps: 400,
      stepSize: 0.02,
    });
    expect(outcome.success).toBe(false);
    outcome.image.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 3));
  });

  test("starts the published early attack anywhere with w in [0,1), whatever the image", async () => {
    const exits = [binary(U, -100), binary(U, -100)];
    const samples = Array.from({ length: 30 }, (_, id) => linearSample(exits, [0.05, 0.02], { id }));
    const outcomes = await attackWith(victimOf(linearExits(exits)), samples, {
      objective: "early:published",
      steps: 1,
      stepSize: 1e-4,
    });
    const w = outcomes.flatMap(({ image }) => Array.from(image, (x) => Math.atanh(2 * x - 1)));
    expect(Math.min(...w)).toBeGreaterThan(-0.001);
    expect(Math.max(...w)).toBeLessThan(1.001);
    expect(Math.min(...w)).toBeLessThan(0.2);
    expect(Math.max(...w)).toBeGreaterThan(0.8);
    expect(logitsAt(exits, [0, 0])[0]?.[1]).toBe(-100);
  });
});
