/** @file ILFO, GradAuto and GradMDM: their steps against formulas written down from the papers' code, their losses and the adjusted
 *  gradient by hand, and what they reach. */
import { describe, expect, test } from "vitest";
import type { Victim } from "../../src/attacks/goals/victim.js";
import { adjustedOpening, keeping, keepingLogits, opening, powerOpening } from "../../src/attacks/losses/gates.js";
import type { Loss } from "../../src/attacks/losses/loss.js";
import type { Task } from "../../src/attacks/methods/method.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import type { Evaluation } from "../../src/attacks/question.js";
import type { Sample } from "../../src/attacks/sample.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { normal } from "../../src/core/rng.js";
import { writeMetadata } from "../../src/dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { costOf } from "../../src/dynamic/model/units.js";
import { route } from "../../src/dynamic/route/route.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { NORMS } from "../../src/perturb/norms.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { attackWith } from "../support/attack.js";
import { backend, gatedSamples, gatedVictim, run, stacked } from "../support/gated-attacks.js";
import { smallExits, victimOf } from "../support/models.js";

const STD = [0.2, 0.25, 0.3];
const MEAN = [0.5, 0.45, 0.4];
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The network of gated.ts, said to normalise its pixels. */
function victimWith(): Victim {
  const { model, policy } = gatedVictim();
  return { model: { ...model, normalization: { mean: MEAN, std: STD } }, policy };
}

interface Walk {
  readonly images: number[][];
  readonly keys: string[][];
  /** The image that the search returns. */
  found: readonly number[];
}

/** The images that a search asks for, when each loss of a step has the gradients given. */
function walked(
  config: Omit<AttackConfig, "name">,
  sample: Sample,
  gradients: (step: number) => Float32Array[],
  steps: number,
  losses: (step: number, place: number) => number = () => 0,
): Walk {
  const victim = victimWith();
  const attack = configureAttack({ name: "t", ...config, steps }, victim);
  const task: Task = { ...attack, sample, set: [sample], seed: 3, dims: [3, 8, 8], withLoss: () => task };
  const search = attack.method.start([task]);
  const walk: Walk = { images: [], keys: [], found: [] };
  let step = search.next();
  for (let at = 0; !step.done; at++) {
    walk.images.push([...step.value[0].image]);
    walk.keys.push(step.value.map(({ loss }) => loss.key));
    const given = gradients(at);
    const replies = step.value.map(
      (_, k): Evaluation => ({
        loss: losses(at, k),
        gradient: given[k],
        logits: [new Float32Array(4)],
        bits: [0, 0, 0, 0],
      }),
    );
    step = search.next(replies);
  }
  walk.found = [...step.value[0].image];
  return walk;
}

/** Adam by its paper, on one value after the other. */
function adam(
  start: readonly number[],
  rate: number,
  descent: (x: readonly number[], step: number) => readonly number[],
  steps: number,
): number[] {
  const x = [...start];
  const [m, v] = [x.map(() => 0), x.map(() => 0)];
  for (let t = 1; t <= steps; t++) {
    const g = descent(x, t - 1);
    for (const i of x.keys()) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2;
      x[i] -= (rate * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    }
  }
  return x;
}

const [SAMPLE] = await gatedSamples(gatedVictim(), 1);
const SIZE = SAMPLE.pixels.length;
const clean = [...SAMPLE.pixels];
const channel = (i: number): number => Math.floor(i / 64);
const u = clean.map((x, i) => (x - MEAN[channel(i)]) / STD[channel(i)]);
const noise = (seed: number, scale: number): Float32Array =>
  normal({ seed, sample: 0, purpose: "test", step: 0 }, SIZE).map((x) => x * scale);

/** The image of w, and its derivative. */
const imageOf = (w: readonly number[], c: number): number[] => w.map((v, i) => (Math.tanh(c * (u[i] + v)) + 1) / 2);
const slopeOf = (w: readonly number[], c: number): number[] =>
  w.map((v, i) => (c * (1 - Math.tanh(c * (u[i] + v)) ** 2)) / 2);
const distanceSlope = (image: readonly number[]): number[] =>
  image.map((x, i) => (2 * (x - clean[i])) / STD[channel(i)] ** 2);
const zeros = clean.map(() => 0);

/** The descent of w on a sum of losses and the distance.
 * @param onImage the derivative by one value of the image, from that of the distance */
const through =
  (contrast: number, onImage: (i: number, step: number, away: number) => number) =>
  (at: readonly number[], step: number): number[] => {
    const [image, slope] = [imageOf(at, contrast), slopeOf(at, contrast)];
    const away = distanceSlope(image);
    return image.map((_, i) => slope[i] * onImage(i, step, away[i]));
  };

function expectImages(got: readonly number[], want: readonly number[]): void {
  got.forEach((v, i) => {
    expect(Math.abs(v - want[i]), `value ${i}`).toBeLessThan(2e-6);
  });
}

describe("steps as published", () => {
  test("ilfo: Adam on w from an image of strong contrast, and the gates weigh 1e5 against the distance", () => {
    // Gradients as small as the distance makes them balance.
    const given = [noise(1, 1e-4), noise(2, 1e-4), noise(3, 1e-4)];
    const walk = walked({ method: "ilfo", weight: 1e5 }, SAMPLE, (step) => [given[Math.min(step, 2)]], 3);
    expect(walk.images).toHaveLength(4);
    for (const steps of [0, 1, 3]) {
      const w = adam(
        zeros,
        5e-4,
        through(1, (i, step, away) => -1e5 * given[step][i] + away),
        steps,
      );
      expectImages(walk.images[steps], imageOf(w, 1));
    }
    const far = walk.images[0].filter((x, i) => Math.abs(x - clean[i]) > 0.05);
    expect(far.length).toBeGreaterThan(SIZE / 4);
  });

  test("gradauto: the part against the keeping gradient is taken off, and the length is that of the image", () => {
    const given = [0, 1, 2].map((k) => [noise(10 + k, 1), noise(20 + k, 1)]);
    // The second gradient conflicts with the first one in step 0.
    given[0][1] = given[0][0].map((g, i) => -g + 0.3 * given[0][1][i]);
    const walk = walked({ method: "gradauto", weight: 2 }, SAMPLE, (step) => given[Math.min(step, 2)], 2);
    for (const steps of [1, 2]) {
      const w = adam(
        zeros,
        0.01,
        (at, step) => {
          const [image, slope] = [imageOf(at, 0.8), slopeOf(at, 0.8)];
          const [open, keep] = given[step].map((g) => slope.map((s, i) => s * g[i]));
          const conflict = Math.min(0, total(open.map((o, i) => o * keep[i]))) / total(keep.map((k) => k * k));
          const direction = open.map((o, i) => o - conflict * keep[i]);
          const length = Math.sqrt(total(direction.map((d) => d * d)));
          const away = distanceSlope(image);
          return image.map((_, i) => (-2 * SIZE * direction[i]) / length + slope[i] * away[i]);
        },
        steps,
      );
      expectImages(walk.images[steps], imageOf(w, 0.8));
    }
    expect(walk.keys[0]).toEqual(["gates/closed", "gates/open"]);
  });

  test("gradmdm: plain steps first, then adjusted gradients, against gamma times the distance", () => {
    const given = [noise(31, 1e-3), noise(32, 1e-3), noise(33, 1e-3)];
    const config = { method: "gradmdm", weight: 1000, gamma: 7, plainSteps: 2, stepSize: 0.02 };
    const walk = walked(config, SAMPLE, (step) => [given[Math.min(step, 2)]], 3);
    expect(walk.keys.map(([key]) => key)).toEqual([
      "gates/closed-power/1",
      "gates/closed-power/1",
      "gates/adjusted/3.5/50",
      "gates/adjusted/3.5/50",
    ]);
    const w = adam(
      zeros,
      0.02,
      through(0.8, (i, step, away) => -1000 * given[step][i] + 7 * away),
      3,
    );
    expectImages(walk.images[3], imageOf(w, 0.8));
  });

  test("the option that keeps logits adds its gradient to the published one, and its loss to the objective", async () => {
    const given = [0, 1].map((k) => [noise(50 + k, 1e-4), noise(60 + k, 1e-4)]);
    const config = { method: "ilfo", weight: 1e5, keepLogits: 3e4 };
    const walk = walked(config, SAMPLE, (step) => given[Math.min(step, 1)], 2);
    const w = adam(
      zeros,
      5e-4,
      through(1, (i, step, away) => -1e5 * given[step][0][i] - 3e4 * given[step][1][i] + away),
      2,
    );
    expectImages(walk.images[2], imageOf(w, 1));
    expect(walk.keys).toEqual(new Array(3).fill(["gates/closed", "gates/logits"]));
    const nearest = walked(
      config,
      SAMPLE,
      (step) => given[Math.min(step, 1)],
      2,
      (at, k) => (k === 1 && at !== 1 ? -9 : 0),
    );
    expect(nearest.found).toEqual(nearest.images[1]);
    for (const [method, asked] of [
      ["gradauto", ["gates/closed", "gates/open", "gates/logits"]],
      ["gradmdm", ["gates/closed-power/1", "gates/logits"]],
    ] as const) {
      const [first] = walked({ method, keepLogits: 1e5 }, SAMPLE, () => asked.map((_, k) => noise(k, 1)), 1).keys;
      expect(first).toEqual(asked);
    }
  });

  test("with a radius, Adam moves the pixels from the clean image, and each step stays in the ball", () => {
    const given = noise(41, 1);
    const config = { method: "ilfo", norm: "linf", radius: 0.004, stepSize: 0.003, weight: 1e5 } as const;
    const walk = walked(config, SAMPLE, () => [given], 3);
    expectImages(walk.images[0], clean);
    const within = (x: number, i: number) => Math.min(Math.max(x, clean[i] - 0.004, 0), clean[i] + 0.004, 1);
    expectImages(
      walk.images[1],
      clean.map((x, i) => within(x + 0.003 * Math.sign(given[i]), i)),
    );
    walk.images.forEach((image) => {
      image.forEach((x, i) => {
        expect(Math.abs(x - clean[i])).toBeLessThanOrEqual(0.004 + 1e-6);
      });
    });
  });
});

/** Two gates on [n,2,1,1]: z0 = a.x, h = x + v0 Bx, z1 = b.h - 0.2, out = h + v1 Ch, logits = out. */
const A = [0.8, -0.5];
const B = [[0.6, -0.3], [0.2, 0.9]]; // biome-ignore format: a matrix
const C = [[0.1, 0.4], [-0.7, 0.2]]; // biome-ignore format: a matrix
const D = [0.3, 0.7];
const SHIFT = -0.9;

function twoGates(): DynamicModel {
  const b = new GraphBuilder(emptyGraph("two", 17));
  const constant = (dims: number[], data: readonly number[]) =>
    b.constant({ dtype: "float32", dims, data: Float32Array.from(data) });
  const linear = (x: ValueName, m: readonly (readonly number[])[], hint: string) =>
    b.op("Conv", [x, constant([2, 2, 1, 1], m.flat())], {}, hint);
  const gate = (x: ValueName, weights: readonly number[], shift: number, name: string) => {
    const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [x])]);
    const column = b.op("Gemm", [pooled, constant([2, 1], weights), constant([1], [shift])]);
    const score = b.op("Reshape", [column, b.ints([-1])], {}, `${name}.score`);
    const open = b.op("Cast", [b.op("GreaterOrEqual", [score, b.scalar(0)])], { to: int(1) });
    return { name, score, value: b.op("Reshape", [open, b.ints([-1, 1, 1, 1])], {}, `${name}.value`) };
  };
  const x = b.input("image", "float32", ["n", 2, 1, 1]);
  const [first, inner] = [gate(x, A, 0, "g0"), linear(x, B, "branch0")];
  const h = b.op("Add", [x, b.op("Mul", [inner, first.value])], {}, "h");
  const [second, outer] = [gate(h, D, SHIFT, "g1"), linear(h, C, "branch1")];
  const out = b.op("Add", [h, b.op("Mul", [outer, second.value])]);
  b.output(b.op("Flatten", [out], {}, "logits"), "float32", undefined);
  const gates = [
    { ...first, branch: inner },
    { ...second, branch: outer },
  ];
  return dynamicModel({ graph: b.build(), metadata: writeMetadata({ gates }) });
}

type Vector = readonly number[];
const dot = (x: Vector, y: Vector): number => total(x.map((v, i) => v * y[i]));
const times = (s: number, x: Vector): number[] => x.map((v) => s * v);
const plus = (x: Vector, y: Vector): number[] => x.map((v, i) => v + y[i]);
const apply = (m: readonly Vector[], x: Vector): number[] => m.map((row) => dot(row, x));
const transposed = (m: readonly Vector[]): number[][] => m[0].map((_, j) => m.map((row) => row[j]));
/** A gate on its side of 1/2 has no slope, and then no direction. */
const unit = (x: Vector): number[] => (dot(x, x) === 0 ? [...x] : times(1 / Math.sqrt(dot(x, x)), x));
const off = (x: Vector, other: Vector): number[] => plus(x, times(-Math.min(0, dot(x, unit(other))), unit(other)));

/** Scores and values of the gates at an image. */
function forward(x: Vector) {
  const z0 = dot(A, x);
  const v0 = z0 >= 0 ? 1 : 0;
  const h = plus(x, times(v0, apply(B, x)));
  const z1 = dot(D, h) + SHIFT;
  return { z0, v0, z1, v1: z1 >= 0 ? 1 : 0, g: [sigmoid(z0), sigmoid(z1)] };
}

/** GradMDM's backward pass by hand, from the derivatives of a loss by the two scores. */
function adjustedByHand(x: Vector, [d0, d1]: Vector, counts: Vector, before?: { h: Vector; x: Vector }) {
  const { z0, v0 } = forward(x);
  const atH = unit(times(d1, D));
  const h = before ? off(atH, before.h) : atH;
  const through = sigmoid(z0) * (1 - sigmoid(z0)) * dot(h, apply(B, x));
  const block = plus(h, times(v0, apply(transposed(B), h)));
  const atX = plus(times(counts[0], unit(block)), unit(times(d0 + through, A)));
  return { h, x: before ? off(atX, before.x) : atX };
}

/** The p-norm of clipped probabilities, and its derivatives by the scores. */
function powers(g: Vector, p: number, kept: (g: number) => number, slope: (g: number) => number) {
  const values = g.map(kept);
  const norm = total(values.map((v) => v ** p)) ** (1 / p);
  return { norm, slopes: g.map((v, i) => (values[i] / norm) ** (p - 1) * slope(v) * v * (1 - v)) };
}

async function evaluatedAt(model: DynamicModel, loss: Loss, x: Vector, logits: Vector = [0, 0]) {
  const image = Float32Array.from(x);
  const sample = { id: 0, pixels: image, label: 0, clean: [Float32Array.from(logits)] };
  const evaluator = new Evaluator(model, { backend: referenceBackend });
  const [found] = await evaluator.evaluate([{ question: { image, loss, gradient: true }, sample, label: 0 }]);
  return { loss: found.loss, gradient: [...found.gradient] };
}

describe("losses and gradients by hand", () => {
  const victim: Victim = {
    model: twoGates(),
    policy: { rule: "max-softmax", thresholds: [], fallback: "final" },
  };
  /** Images at which both gates, one, the other and none are open. */
  const IMAGES = [
    [0.9, 0.5],
    [0.4, 0.2],
    [0.3, 0.99],
    [0.1, 0.6],
  ];

  test("the images open every combination of gates", () => {
    expect(new Set(IMAGES.map((x) => `${forward(x).v0}${forward(x).v1}`)).size).toBeGreaterThan(2);
  });

  test.each(IMAGES.map((x) => [x]))("ILFO's and GradAuto's sums at %j", async (x) => {
    const { g } = forward(x);
    const [open, keep] = [
      await evaluatedAt(victim.model, opening(victim), x),
      await evaluatedAt(victim.model, keeping(victim), x),
    ];
    expect(open.loss).toBeCloseTo(-total(g.map((v) => Math.max(0, 0.5 - v))), 6);
    expect(keep.loss).toBeCloseTo(total(g.map((v) => Math.max(0, v - 0.5))), 6);
  });

  test.each(IMAGES.map((x) => [x]))("the distance of the logits at %j", async (x) => {
    const { v0, v1 } = forward(x);
    const h = plus(x, times(v0, apply(B, x)));
    const away = plus(plus(h, times(v1, apply(C, h))), [-0.4, 0.7]);
    const found = await evaluatedAt(victim.model, keepingLogits(victim), x, [0.4, -0.7]);
    expect(found.loss).toBeCloseTo(-dot(away, away), 6);
  });

  test.each(IMAGES.map((x) => [x]))("GradMDM's power loss at %j", async (x) => {
    const { norm } = powers(
      forward(x).g,
      3.5,
      (v) => Math.min(v, 0.5),
      () => 1,
    );
    expect((await evaluatedAt(victim.model, powerOpening(victim, 3.5), x)).loss).toBeCloseTo(norm, 6);
  });

  test.each(IMAGES.map((x) => [x]))("GradMDM's gradient is adjusted at each gate at %j", async (x) => {
    const { g, v0, v1 } = forward(x);
    const closed = powers(
      g,
      3.5,
      (v) => Math.min(v, 0.5),
      (v) => (v < 0.5 ? 1 : 0),
    ).slopes;
    const lacking = powers(
      g,
      50,
      (v) => 1 - Math.max(v, 0.5),
      (v) => (v > 0.5 ? 1 : 0),
    ).slopes;
    const found = await evaluatedAt(victim.model, adjustedOpening(victim, 3.5, 50), x);
    const against = adjustedByHand(x, lacking, [2 - v0 - v1, 1 - v1]);
    const { x: want } = adjustedByHand(x, closed, [v0 + v1, v1], against);
    found.gradient.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i], 4);
    });
  });
});

describe("what they reach", () => {
  const victim = gatedVictim();

  /** The mean of ILFO's sum over gates. */
  async function opened(samples: readonly Sample[], images: readonly Float32Array[]): Promise<number> {
    const evaluator = new Evaluator(victim.model, { backend });
    const loss = opening(victim);
    const asked = images.map((image, i) => ({
      question: { image, loss, gradient: false },
      sample: samples[i],
      label: 0,
    }));
    const found = await evaluator.evaluate(asked);
    await evaluator.release();
    return total(found.map((one) => one.loss)) / images.length;
  }

  test.each([
    ["ilfo", { steps: 100, stepSize: 0.01 }],
    ["gradauto", { steps: 40 }],
    ["gradmdm", { steps: 40 }],
    ["ilfo", { norm: "linf", radius: 0.1, steps: 25, stepSize: 0.02 }],
    ["gradauto", { norm: "linf", radius: 0.1, steps: 25, iterate: "best" }],
    ["gradmdm", { norm: "l2", radius: 1, steps: 25, iterate: "best" }],
  ] as const)("%s brings gates nearer to open: %j", async (method, options) => {
    const samples = await gatedSamples(victim, 6);
    const outcomes = await attackWith(victim, samples, { method, ...options }, { backend });
    const images = outcomes.map(({ image }) => image);
    expect(await opened(samples, images)).toBeGreaterThan(
      await opened(
        samples,
        samples.map(({ pixels }) => pixels),
      ),
    );
    if (!("radius" in options)) return;
    for (const [i, image] of images.entries())
      expect(NORMS[options.norm].distance(image, samples[i].pixels)).toBeLessThanOrEqual(options.radius + 1e-5);
  });

  test.each(["ilfo", "gradauto", "gradmdm"])("%s with the option that keeps logits moves them less", async (method) => {
    const samples = await gatedSamples(victim, 6);
    const moved = async (keepLogits: number) => {
      const config = { method, keepLogits, norm: "linf", radius: 0.1, steps: 25, iterate: "last" } as const;
      const outcomes = await attackWith(victim, samples, config, { backend });
      const { exits } = await run(victim.model, stacked(outcomes.map(({ image }) => image)));
      const clean = samples.flatMap((sample) => [...sample.clean[0]]);
      return total([...exits[0]].map((v, i) => (v - clean[i]) ** 2));
    };
    expect(await moved(1e5)).toBeLessThan(await moved(0));
  });

  test("success is that of the goal, on the hard network", async () => {
    const samples = await gatedSamples(victim, 6);
    const outcomes = await attackWith(victim, samples, { method: "gradmdm", steps: 30, costShare: 0.3 }, { backend });
    const costs = async (images: readonly Float32Array[]) =>
      route(await run(victim.model, stacked(images)), victim.policy).map((path) => costOf(victim.model, path));
    const before = await costs(samples.map(({ pixels }) => pixels));
    const after = await costs(outcomes.map(({ image }) => image));
    outcomes.forEach(({ success }, i) => {
      expect(success).toBe(after[i] >= before[i] + 0.3 * (victim.model.exits[0].macs - before[i]));
    });
  });

  test("same seed, same bytes, whatever the batch", async () => {
    const samples = await gatedSamples(victim, 4);
    const of = (batch: number) => attackWith(victim, samples, { method: "gradmdm", steps: 14 }, { backend, batch });
    expect((await of(1)).map(({ image }) => image)).toEqual((await of(64)).map(({ image }) => image));
  });
});

describe("refusals", () => {
  test.each(["ilfo", "gradauto", "gradmdm"])("%s needs gates, and the goal slowdown", (method) => {
    const none = victimOf(smallExits(), 0.6);
    expect(() => configureAttack({ name: "t", method }, none)).toThrow(
      /small has no gates, and this attack opens gates/,
    );
    expect(() => configureAttack({ name: "t", method, goal: "misclassify:final" }, gatedVictim())).toThrow(
      /is made for the goal slowdown/,
    );
  });

  test("gradmdm needs gates that are 0 or 1", () => {
    expect(() => configureAttack({ name: "t", method: "gradmdm", gates: "soft" }, gatedVictim())).toThrow(
      /expected hard, straight-through, best/,
    );
  });
});
