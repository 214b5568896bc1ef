/** @file What query methods ask, step by step, on a plane: where probes and proposals lie. */
import { expect, test } from "vitest";
import { normal } from "../../src/core/rng.js";
import { NORMS } from "../../src/perturb/norms.js";
import { type AskedBatch, attackWith, linearExits, linearSample, questionsOf } from "../support/attack.js";
import { samplesOf, smallExits, victimOf } from "../support/models.js";

const W = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
const EXIT = { weights: [W.map(() => 0), W], bias: [0, 0.15] };
const sample = linearSample([EXIT], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
const distance = (a: Float32Array, b: Float32Array) => NORMS.l2.distance(a, b);

/** The batches of several questions, each with the last success among the single questions before it. */
function probesOf(
  asked: readonly AskedBatch[],
): { readonly images: readonly Float32Array[]; readonly from: Float32Array }[] {
  let from = sample.pixels;
  return asked.flatMap(({ images, met }) => {
    if (images.length > 1) return [{ images, from }];
    if (met[0]) [from] = images;
    return [];
  });
}

test("HopSkipJump probes a tenth around the first boundary, then in step with the distance", () => {
  const [first, second] = probesOf(questionsOf(EXIT, sample, { method: "hopskipjump", steps: 2 }, 400));
  expect([first.images.length, second.images.length]).toEqual([100, Math.floor(100 * Math.SQRT2)]);
  for (const probe of first.images) expect(distance(probe, first.from)).toBeCloseTo(0.1, 5);
  const gap = distance(second.from, sample.pixels);
  for (const probe of second.images) expect(distance(probe, second.from) / (gap / 6)).toBeCloseTo(1, 3);
});

test("a proposal of the boundary attack is nearer by the source step and aside by the spherical step", () => {
  const config = { method: "boundary", sphericalStep: 0.1, sourceStep: 0.03, steps: 1 };
  const asked = questionsOf(EXIT, sample, config, 1200);
  // The walk begins after two successes: noise, and the first share of it.
  const successes = asked.flatMap(({ met: [met] }, i) => (met ? [i] : []));
  const [from] = asked[successes[1]].images;
  const [proposal] = asked[successes[1] + 1].images;
  const radius = distance(from, sample.pixels);
  expect(distance(proposal, sample.pixels) / radius).toBeCloseTo(0.97, 4);
  const along = proposal.reduce((sum, v, i) => sum + (v - 0.5) * (from[i] - 0.5), 0);
  expect(along / (radius * 0.97 * radius)).toBeCloseTo(1 / Math.hypot(1, 0.1), 4);
});

test("GeoDA probes with noise of the stated deviation", () => {
  const config = { method: "geoda", sigma: 0.01, queries: 400, rounds: 2 };
  const [{ images, from }] = probesOf(questionsOf(EXIT, sample, config, 200));
  images.forEach((probe, k) => {
    // One wave for each channel of one pixel.
    const noise = normal({ seed: 3, sample: 0, purpose: "attack-noise", step: k }, 6);
    probe.forEach((v, i) => expect(v - from[i]).toBeCloseTo(0.01 * noise[i], 5));
  });
});

test("one pixel evolves towards the best colours", async () => {
  // The label changes only where the values come near those that lower the logit most.
  const least = W.reduce((total, w) => total + Math.min(w, 0), 0);
  const exit = { weights: [W.map(() => 0), W], bias: [0, -0.75 * least] };
  const image = linearSample([exit], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  const successes = async (steps: number) => {
    const all = Array.from({ length: 8 }, (_, id) => ({ ...image, id }));
    const outcomes = await attackWith(victimOf(linearExits([exit])), all, { method: "one-pixel", steps });
    return outcomes.filter(({ success }) => success).length;
  };
  expect(await successes(1)).toBe(0);
  expect(await successes(40)).toBeGreaterThan(4);
});

test("Pixle copies as many pixels as its patch has", async () => {
  const model = smallExits();
  const samples = await samplesOf(model, 24);
  const config = { method: "pixle", restarts: 1, steps: 1, leastSide: 2, mostSide: 2 };
  const outcomes = await attackWith(victimOf(model), samples, config);
  const changed = outcomes.map(({ image }, i) => {
    const clean = samples[i].pixels;
    return Array.from({ length: 64 }, (_, at) => at).filter((at) =>
      [0, 64, 128].some((c) => image[at + c] !== clean[at + c]),
    );
  });
  expect(Math.max(...changed.map(({ length }) => length))).toBe(4);
});
