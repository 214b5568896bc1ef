/** @file Gradient methods of fixed budget against their papers' formulas, written down in float64 for a linear network, whose
 *  gradients are known: grad CE = sum over classes of p_j w_j, less w_y. */
import { describe, expect, test } from "vitest";
import type { Task } from "../../src/attacks/methods/method.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import type { Sample } from "../../src/attacks/sample.js";
import { configureAttack } from "../../src/attacks/spec.js";
import { normal, type Purpose, uniform } from "../../src/core/rng.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { attackWith } from "../support/attack.js";
import { linearModel, samplesOf, victimOf } from "../support/models.js";

type Vector = readonly number[];

const WIDTH = 32;
const CLASSES = 4;
const SEED = 3;
const draws = normal({ seed: 5, sample: 0, purpose: "test", step: 0 }, WIDTH * CLASSES);
const W: readonly Vector[] = Array.from({ length: CLASSES }, (_, j) =>
  Array.from({ length: WIDTH }, (__, i) => 1.5 * draws[j * WIDTH + i]),
);
const model = linearModel(W, [0.1, -0.2, 0.3, 0]);
const victim = victimOf(model);
const samples = await samplesOf(model, 12);

const [RADIUS, STEP, STEPS] = [0.4, 0.04, 7];
const sum = (values: Vector): number => values.reduce((a, b) => a + b, 0);
const clip = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high);
const plus = (a: Vector, b: Vector, factor = 1): number[] => a.map((v, i) => v + factor * b[i]);
const times = (a: Vector, factor: number): number[] => a.map((v) => v * factor);
const average = (vectors: readonly Vector[]): number[] =>
  vectors[0].map((_, i) => sum(vectors.map((v) => v[i])) / vectors.length);
const ofMeanOne = (a: Vector): number[] => times(a, a.length / sum(a.map(Math.abs)));

function softmax(z: Vector): number[] {
  const e = z.map((v) => Math.exp(v - Math.max(...z)));
  return times(e, 1 / sum(e));
}
const logits = (x: Vector): number[] => W.map((row, j) => sum(row.map((w, i) => w * x[i])) + [0.1, -0.2, 0.3, 0][j]);
const mix = (weights: Vector): number[] => W[0].map((_, i) => sum(weights.map((p, j) => p * W[j][i])));
const gradient = (x: Vector, label: number): number[] =>
  mix(softmax(logits(x)).map((p, j) => p - (j === label ? 1 : 0)));

const key = (sample: Sample, purpose: Purpose, step: number) => ({ seed: SEED, sample: sample.id, purpose, step });
const noise = (sample: Sample, step: number, count: number, reach: number): number[][] => {
  const all = uniform(key(sample, "attack-choice", step), count * WIDTH, -reach, reach);
  return Array.from({ length: count }, (_, k) => Array.from(all.subarray(k * WIDTH, (k + 1) * WIDTH)));
};

/** Sign steps within the Linf ball. */
function walk(
  sample: Sample,
  direction: (x: number[], step: number) => Vector,
  { start = Array.from(sample.pixels), steps = STEPS, stepSize = STEP, radius = RADIUS } = {},
): number[] {
  let x = [...start];
  for (let k = 0; k < steps; k++) {
    const d = direction(x, k);
    x = x.map((v, i) => {
      const clean = sample.pixels[i];
      return clip(clip(v + stepSize * Math.sign(d[i]), clean - radius, clean + radius), 0, 1);
    });
  }
  return x;
}

/** Momentum over steps. */
function momentum(decay: number) {
  let total: number[] = new Array(WIDTH).fill(0);
  return {
    add: (g: Vector): number[] => {
      total = plus(ofMeanOne(g), total, decay);
      return total;
    },
    ahead: (x: Vector): number[] => plus(x, total, decay * STEP),
  };
}

const config = { radius: RADIUS, stepSize: STEP, steps: STEPS, iterate: "last" };

async function expectWalk(written: object, expected: (sample: Sample) => Vector, digits = 5): Promise<void> {
  const outcomes = await attackWith(victim, samples, { ...config, ...written }, { seed: SEED });
  for (const [i, { image }] of outcomes.entries()) {
    const wanted = expected(samples[i]);
    for (const [j, v] of image.entries()) expect(v, `sample ${i}, pixel ${j}`).toBeCloseTo(wanted[j], digits);
  }
}

describe("on a linear network the last iterate is that of the paper", () => {
  test("BIM", () => expectWalk({ method: "bim" }, (s) => walk(s, (x) => gradient(x, s.label))));

  test.each([1, 0.5])("MI-FGSM with decay %f", (decay) =>
    expectWalk({ method: "mim", decay }, (s) => {
      const m = momentum(decay);
      return walk(s, (x) => m.add(gradient(x, s.label)));
    }),
  );

  test("MI-FGSM in L2", () =>
    expectWalk({ method: "mim", norm: "l2", decay: 0.8 }, (s) => {
      const m = momentum(0.8);
      let x: number[] = Array.from(s.pixels);
      for (let k = 0; k < STEPS; k++) {
        const d = m.add(gradient(x, s.label));
        x = plus(x, d, STEP / Math.hypot(...d)).map((v) => clip(v, 0, 1));
      }
      return x;
    }));

  test("NI-FGSM", () =>
    expectWalk({ method: "nim", decay: 0.9 }, (s) => {
      const m = momentum(0.9);
      return walk(s, (x) => m.add(gradient(m.ahead(x), s.label)));
    }));

  const scaled = (x: Vector, label: number, copies: number): number[] =>
    average(Array.from({ length: copies }, (_, i) => times(gradient(times(x, 2 ** -i), label), 2 ** -i)));

  test("SIM", () =>
    expectWalk({ method: "sim", copies: 3 }, (s) => {
      const m = momentum(1);
      return walk(s, (x) => m.add(scaled(x, s.label, 3)));
    }));

  test("SI-NI-FGSM", () =>
    expectWalk({ method: "sini" }, (s) => {
      const m = momentum(1);
      return walk(s, (x) => m.add(scaled(m.ahead(x), s.label, 5)));
    }));

  const varied = (s: Sample, ahead: boolean): number[] => {
    const m = momentum(1);
    let variance: number[] = new Array(WIDTH).fill(0);
    return walk(s, (x, k) => {
      const g = gradient(ahead ? m.ahead(x) : x, s.label);
      const around = noise(s, k, 5, 1.5 * RADIUS).map((n) => gradient(plus(x, n), s.label));
      const d = m.add(plus(g, variance));
      variance = plus(average(around), g, -1);
      return d;
    });
  };

  test("VMI-FGSM", () => expectWalk({ method: "vmi" }, (s) => varied(s, false)));
  test("VNI-FGSM", () => expectWalk({ method: "vni" }, (s) => varied(s, true)));

  test("R-FGSM starts with a step along random signs", () =>
    expectWalk({ method: "rfgsm", startSize: 0.1 }, (s) => {
      const signs = normal(key(s, "attack-start", 0), WIDTH);
      const start = Array.from(s.pixels, (p, i) => clip(p + 0.1 * Math.sign(signs[i]), 0, 1));
      return walk(s, (x) => gradient(x, s.label), { start });
    }));

  test("FFGSM takes one step of 1.25 radii from a random point", () =>
    expectWalk({ method: "ffgsm", radius: 0.1, steps: 1, stepSize: undefined }, (s) => {
      const at = uniform(key(s, "attack-start", 0), WIDTH, -0.1, 0.1);
      const start = Array.from(s.pixels, (p, i) => clip(p + at[i], 0, 1));
      return walk(s, (x) => gradient(x, s.label), { start, steps: 1, stepSize: 0.125, radius: 0.1 });
    }));

  test("TPGD climbs the divergence from the clean output", () =>
    expectWalk({ method: "tpgd", deviation: 0.05 }, (s) => {
      const at = normal(key(s, "attack-start", 0), WIDTH);
      const start = Array.from(s.pixels, (p, i) => clip(p + 0.05 * at[i], 0, 1));
      const clean = softmax(logits(Array.from(s.pixels)));
      return walk(s, (x) => mix(plus(softmax(logits(x)), clean, -1)), { start });
    }));

  test("EOT-PGD follows the mean gradient of noisy images", () =>
    expectWalk({ method: "eot-pgd", draws: 3, noise: 0.3, randomStart: false }, (s) =>
      walk(s, (x, k) => average(noise(s, k, 3, 0.3).map((n) => gradient(plus(x, n), s.label)))),
    ));

  test("TI-FGSM smooths the gradient over 5 pixels of 32, cut off at 3 standard deviations", () =>
    expectWalk({ method: "tim" }, (s) => {
      const weights = [-3, -1.5, 0, 1.5, 3].map((t) => Math.exp((-t * t) / 2));
      return walk(s, (x) => {
        const g = gradient(x, s.label);
        return g.map((_, i) => sum(weights.map((w, k) => w * (g[i + k - 2] ?? 0))));
      });
    }));

  test("TI-FGSM refuses an even kernel", () =>
    expect(() => configureAttack({ name: "t", method: "tim", radius: 0.1, kernel: 4 }, victim)).toThrow("odd"));

  /** Bilinear shrinking of a row to `to` pixels from `left`, as a matrix. */
  const shrink = (to: number, left: number): number[][] => {
    const matrix = W[0].map(() => new Array<number>(WIDTH).fill(0));
    for (let i = 0; i < to; i++) {
      const at = ((i + 0.5) * WIDTH) / to - 0.5;
      const low = Math.floor(at);
      matrix[left + i][Math.min(low, WIDTH - 1)] += 1 - (at - low);
      matrix[left + i][Math.min(low + 1, WIDTH - 1)] += at - low;
    }
    return matrix;
  };

  test("DI-FGSM takes half of its gradients at shrunk and moved images", async () => {
    let transformed = 0;
    await expectWalk({ method: "dim", resize: 0.6 }, (s) => {
      const m = momentum(1);
      return walk(s, (x, k) => {
        const [use, size, , right] = uniform(key(s, "attack-choice", k), 4);
        if (use >= 0.5) return m.add(gradient(x, s.label));
        transformed++;
        const to = 19 + Math.floor(size * (WIDTH - 19));
        const matrix = shrink(to, Math.floor(right * (WIDTH - to)));
        const g = gradient(
          matrix.map((row) => sum(row.map((a, i) => a * x[i]))),
          s.label,
        );
        return m.add(x.map((_, i) => sum(matrix.map((row, j) => row[i] * g[j]))));
      });
    });
    expect(transformed / (samples.length * STEPS)).toBeGreaterThan(0.35);
    expect(transformed / (samples.length * STEPS)).toBeLessThan(0.65);
  });
});

describe("in L1", () => {
  const away = (s: Sample, image: Float32Array): number[] => Array.from(image, (v, i) => v - s.pixels[i]);

  test("SLIDE changes the pixels of the largest gradients by equal amounts", async () => {
    const written = {
      ...config,
      method: "slide",
      norm: "l1",
      radius: 0.6,
      steps: 1,
      stepSize: undefined,
      quantile: 0.9,
    };
    const outcomes = await attackWith(victim, samples, written, { seed: SEED });
    for (const [i, s] of samples.entries()) {
      const g = gradient(Array.from(s.pixels), s.label);
      // 3.1 of 31 gaps lie beyond the quantile: 4 pixels.
      const chosen = g
        .map((_, j) => j)
        .sort((a, b) => Math.abs(g[b]) - Math.abs(g[a]))
        .slice(0, 4);
      const moved = away(s, outcomes[i].image);
      for (const [j, d] of moved.entries())
        expect(d).toBeCloseTo(chosen.includes(j) ? (0.12 / 4) * Math.sign(g[j]) : 0, 5);
    }
  });

  test("PGD steps along the gradient and soft-thresholds back onto the ball", async () => {
    const written = { ...config, method: "pgd", norm: "l1", radius: 0.5, steps: 1, stepSize: 0.9, randomStart: false };
    const outcomes = await attackWith(victim, samples, written, { seed: SEED });
    for (const [i, s] of samples.entries()) {
      const g = gradient(Array.from(s.pixels), s.label);
      const moved = times(g, 0.9 / sum(g.map(Math.abs)));
      const left = (t: number): number[] => moved.map((d) => Math.sign(d) * Math.max(0, Math.abs(d) - t));
      let [low, high] = [0, 1];
      for (let k = 0; k < 60; k++) {
        const middle = (low + high) / 2;
        if (sum(left(middle).map(Math.abs)) > 0.5) low = middle;
        else high = middle;
      }
      const wanted = left(low);
      for (const [j, d] of away(s, outcomes[i].image).entries())
        expect(s.pixels[j] + d).toBeCloseTo(clip(s.pixels[j] + wanted[j], 0, 1), 5);
    }
  });
});

describe("the loss of Jitter", () => {
  const noiseOf = Float32Array.of(0.05, -0.1, 0.2, 0.02);
  const formula = (s: Sample, x: Vector, label: number): number => {
    const z = logits(x);
    const largest = Math.max(...z.map(Math.abs));
    const noisy = softmax(times(z, 10 / largest)).map((p, j) => p + noiseOf[j]);
    const cost = sum(noisy.map((p, j) => (p - (j === label ? 1 : 0)) ** 2)) / CLASSES;
    const wrong = z.indexOf(Math.max(...z)) !== label;
    const distance = Math.max(...x.map((v, i) => Math.abs(v - s.pixels[i])));
    return wrong && distance > 0 ? cost / distance : cost;
  };

  test.each([0, 0.1, 0.5])("is the formula, with its gradient, at a distance of %f", async (distance) => {
    const { goal } = configureAttack({ name: "t", method: "jitter", radius: 0.1 }, victim);
    const evaluator = new Evaluator(model, { backend: referenceBackend });
    for (const s of samples) {
      // The largest distance belongs to one pixel alone, so that the maximum has a gradient.
      const x = Array.from(s.pixels, (p, i) => p + distance * Math.sin(i + 1) * (i === 3 ? 1.5 : 0.5));
      const extra = { jitter_scale: Float32Array.of(10), jitter_noise: noiseOf };
      const question = { image: Float32Array.from(x), loss: goal.losses[0], gradient: true, extra };
      const [found] = await evaluator.evaluate([{ question, sample: s, label: s.label }]);
      expect(found.loss).toBeCloseTo(formula(s, x, s.label), 4);
      if (distance === 0) continue;
      for (const i of [0, 3, 17]) {
        const moved = (by: number) => x.map((v, j) => (j === i ? v + by : v));
        const slope = (formula(s, moved(1e-6), s.label) - formula(s, moved(-1e-6), s.label)) / 2e-6;
        expect(Math.abs(found.gradient[i] - slope)).toBeLessThan(1e-3 * Math.max(1, Math.abs(slope)));
      }
    }
  });

  test("gets noise of the stated deviation and the scale from the method", async () => {
    const written = {
      name: "t",
      method: "jitter",
      radius: 0.1,
      steps: 1,
      randomStart: false,
      deviation: 0.3,
      scale: 4,
    };
    const attack = configureAttack(written, victim);
    const task: Task = {
      ...attack,
      sample: samples[0],
      seed: SEED,
      dims: [1, 1, WIDTH],
      set: samples,
      withLoss: () => task,
    };
    const search = attack.method.start([task]);
    const { extra } = (search.next().value as unknown as { extra: Record<string, Float32Array> }[])[0];
    expect(Array.from(extra.jitter_scale)).toEqual([4]);
    const expected = normal(key(samples[0], "attack-choice", 0), CLASSES);
    expect(Array.from(extra.jitter_noise)).toEqual(Array.from(expected, (v) => Math.fround(0.3 * v)));
  });
});
