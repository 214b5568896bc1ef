/** @file Warps and smoothing: values worked out by hand, and transposes against their definition. */
import { describe, expect, test } from "vitest";
import { normal } from "../../src/core/rng.js";
import { gaussian, smooth } from "../../src/perturb/smooth.js";
import { rotateAndTranslate, shrinkAndPad, type Warp } from "../../src/perturb/warp.js";

const DIMS = [2, 5, 4] as const;
const draw = (step: number) => normal({ seed: 1, sample: 0, purpose: "test", step }, 40);
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);

const warps: readonly (readonly [string, Warp])[] = [
  ["shrinks and pads", shrinkAndPad(DIMS, [4, 3], 1, 0)],
  ["rotates and translates", rotateAndTranslate(DIMS, 17, [0.6, -1.3])],
];

test.each(warps)("the transpose of a warp that %s has the same products", (_, warp) => {
  const [x, y] = [draw(0), draw(1)];
  expect(dot(warp.apply(x), y)).toBeCloseTo(dot(x, warp.transpose(y)), 4);
  expect(Math.abs(dot(warp.apply(x), y))).toBeGreaterThan(0.01);
});

describe("shrinking", () => {
  test("by half takes means of two by two pixels, on black", () => {
    const image = Float32Array.from({ length: 16 }, (_, i) => i);
    const warp = shrinkAndPad([1, 4, 4], [2, 2], 1, 2);
    expect(Array.from(warp.apply(image))).toEqual([0, 0, 0, 0, 0, 0, 2.5, 4.5, 0, 0, 10.5, 12.5, 0, 0, 0, 0]);
  });
});

describe("rotation and translation", () => {
  const image = Float32Array.from({ length: 9 }, (_, i) => i + 1);

  test("by nothing changes nothing", () => {
    expect(Array.from(rotateAndTranslate([1, 3, 3], 0, [0, 0]).apply(image))).toEqual(Array.from(image));
  });

  test("by 90 degrees reads columns as rows", () => {
    const rotated = rotateAndTranslate([1, 3, 3], 90, [0, 0]).apply(image);
    for (const [i, v] of [3, 6, 9, 2, 5, 8, 1, 4, 7].entries()) expect(rotated[i]).toBeCloseTo(v, 5);
  });

  test("by whole pixels reads the neighbours, and black beyond the edge", () => {
    const moved = rotateAndTranslate([1, 3, 3], 0, [0, 1]).apply(image);
    for (const [i, v] of [2, 3, 0, 5, 6, 0, 8, 9, 0].entries()) expect(moved[i]).toBeCloseTo(v, 5);
  });
});

describe("smoothing", () => {
  test("of a single pixel gives the products of the weights", () => {
    const image = new Float32Array(25);
    image[12] = 1;
    const weights = gaussian(1, 0.8);
    const side = Math.exp(-1 / (2 * 0.8 ** 2));
    const total = 1 + 2 * side;
    const out = smooth(image, [1, 5, 5], weights, "zero");
    expect(out[12]).toBeCloseTo(1 / total ** 2, 6);
    expect(out[11]).toBeCloseTo(side / total ** 2, 6);
    expect(out[6]).toBeCloseTo((side / total) ** 2, 6);
    expect(out[0]).toBe(0);
  });

  test("with a mirror at the edge keeps the mean, and without loses some", () => {
    const image = draw(2).map(Math.abs);
    const total = (a: Float32Array): number => a.reduce((x, y) => x + y, 0);
    expect(total(smooth(image, DIMS, gaussian(9, 2.5), "mirror"))).toBeCloseTo(total(image), 4);
    expect(total(smooth(image, DIMS, gaussian(9, 2.5), "zero"))).toBeLessThan(0.9 * total(image));
  });

  test("mirrors with the edge pixel twice", () => {
    const out = smooth(Float32Array.of(1, 0, 0, 0), [1, 1, 4], Float64Array.of(0, 0, 0.5, 0, 0.5), "mirror");
    // Height 1: the column is its own mirror. Weights reach two pixels to the right: 3 -> mirrored 2.
    expect(Array.from(out)).toEqual([0.5, 0, 0, 0]);
  });
});
