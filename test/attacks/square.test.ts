/** @file The proposals of Square Attack: their size, their shape, and the schedule of the paper. */
import { describe, expect, test } from "vitest";
import { shareAt } from "../../src/attacks/methods/square.js";
import { firstImage, nextImage, type SquareBoard } from "../../src/attacks/methods/square-moves.js";
import { uniform } from "../../src/core/rng.js";
import { NORMS } from "../../src/perturb/norms.js";

const DIMS = [3, 10, 12] as const;
const SIZE = 360;
const grey = new Float32Array(SIZE).fill(0.5);

function draws(step: number): () => number {
  const numbers = uniform({ seed: 4, sample: 0, purpose: "test", step }, 2000);
  let next = 0;
  return () => numbers[next++];
}

const boardOf = (norm: SquareBoard["norm"], clean = grey): SquareBoard => ({ norm, radius: 0.2, dims: DIMS, clean });

test("the first image in Linf is made of vertical stripes, one radius up or down", () => {
  const image = firstImage(boardOf("linf"), draws(0));
  image.forEach((v, i) => {
    expect(Math.abs(v - 0.5)).toBeCloseTo(0.2, 6);
    expect(v).toBe(image[Math.floor(i / 120) * 120 + (i % 12)]);
  });
  expect(new Set(image).size).toBe(2);
});

test("a proposal in Linf changes one square of the stated share, with one sign per channel", () => {
  for (const share of [0.8, 0.2, 0.05, 0.001]) {
    const side = Math.min(Math.max(Math.round(Math.sqrt(share * 120)), 1), 10);
    const image = nextImage(boardOf("linf"), grey, share, draws(Math.round(1000 * share)));
    for (let c = 0; c < 3; c++) {
      const changed = Array.from(image.subarray(120 * c, 120 * c + 120)).flatMap((v, i) => (v === 0.5 ? [] : [[i, v]]));
      expect(changed.length).toBe(side * side);
      expect(new Set(changed.map(([, v]) => v)).size).toBe(1);
      expect(Math.abs(changed[0][1] - 0.5)).toBeCloseTo(0.2, 6);
      const [rows, columns] = [changed.map(([i]) => Math.floor(i / 12)), changed.map(([i]) => i % 12)];
      expect(Math.max(...rows) - Math.min(...rows)).toBe(side - 1);
      expect(Math.max(...columns) - Math.min(...columns)).toBe(side - 1);
    }
  }
});

describe.each(["l2", "l1"] as const)("images in %s", (norm) => {
  const images = [firstImage(boardOf(norm), draws(0))];
  for (let step = 1; step < 8; step++) images.push(nextImage(boardOf(norm), images[step - 1], 0.8 / step, draws(step)));

  test("lie at the border of the ball", () => {
    for (const image of images) expect(NORMS[norm].distance(image, grey)).toBeCloseTo(0.2, 4);
  });

  test("differ from the one before in two squares, up to one factor for all of the rest", () => {
    const [before, after] = images.slice(-2).map((image) => image.map((v) => v - 0.5));
    const side = Math.max(Math.round(Math.sqrt((0.8 / 7) * 120)), 3);
    const odd = side + (side % 2 === 0 ? 1 : 0);
    const factors = Array.from(after, (v, i) => (norm === "l2" ? v / before[i] : Math.sign(v) / Math.sign(before[i])));
    const common = factors.filter((f) => Math.abs(f - (norm === "l2" ? median(factors) : 1)) < 1e-3).length;
    expect(common).toBeGreaterThanOrEqual(SIZE - 2 * 3 * odd * odd - before.filter((v) => v === 0).length);
  });

  test("stay in [0,1] near black and white", () => {
    const edges = Float32Array.from({ length: SIZE }, (_, i) => (i % 3) / 2);
    const image = nextImage(boardOf(norm, edges), firstImage(boardOf(norm, edges), draws(1)), 0.5, draws(2));
    expect(NORMS[norm].distance(image, edges)).toBeLessThanOrEqual(0.2 + 1e-5);
    expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...image)).toBeLessThanOrEqual(1);
  });
});

const median = (values: readonly number[]): number =>
  [...values].filter(Number.isFinite).sort((a, b) => a - b)[Math.floor(values.filter(Number.isFinite).length / 2)];

test.each([
  [0, 1],
  [10, 1],
  [11, 1 / 2],
  [51, 1 / 4],
  [201, 1 / 8],
  [501, 1 / 16],
  [1001, 1 / 32],
  [2001, 1 / 64],
  [4001, 1 / 128],
  [6001, 1 / 256],
  [8001, 1 / 512],
])("the share after %d queries is %f of the first", (step, share) => {
  expect(shareAt(step, { queries: 10_000, rescaleSchedule: false })).toBe(share);
  expect(shareAt(2 * step, { queries: 20_000, rescaleSchedule: true })).toBe(share);
});
