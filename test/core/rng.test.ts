import { describe, expect, test } from "vitest";
import { normal, permutation, philox, type StreamKey, uniform } from "../../src/core/rng.js";

const key = (part: Partial<StreamKey> = {}): StreamKey => ({ seed: 1, sample: 2, purpose: "test", step: 3, ...part });
const hex = (words: Uint32Array) => [...words].map((w) => w.toString(16).padStart(8, "0")).join(" ");

describe("philox", () => {
  // Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("counter %j, key %j", (counter, k, expected) => {
    const out = new Uint32Array(4);
    philox(counter, k, out);
    expect(hex(out)).toBe(expected);
  });
});

describe("streams", () => {
  test("the same key gives the same numbers, any other key gives others", () => {
    const base = uniform(key(), 8);
    expect(uniform(key(), 8)).toEqual(base);
    for (const other of [
      key({ seed: 2 }),
      key({ seed: 1 + 2 ** 32 }),
      key({ sample: 3 }),
      key({ step: 4 }),
      key({ purpose: "split" }),
    ])
      expect(uniform(other, 8)).not.toEqual(base);
  });

  test("a longer draw begins with the shorter one", () => {
    expect(uniform(key(), 100).subarray(0, 7)).toEqual(uniform(key(), 7));
  });

  test("uniform stays in range with mean and variance of the uniform distribution", () => {
    const x = uniform(key(), 40000, -2, 4);
    expect(Math.min(...x)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...x)).toBeLessThan(4);
    const mean = x.reduce((a, b) => a + b) / x.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length).toBeCloseTo(3, 0);
  });

  test("normal has mean 0 and variance 1", () => {
    const x = normal(key(), 40001);
    expect(x.length).toBe(40001);
    expect(x.reduce((a, b) => a + b) / x.length).toBeCloseTo(0, 1);
    expect(x.reduce((a, b) => a + b * b, 0) / x.length).toBeCloseTo(1, 1);
  });

  test("a permutation holds every index once and is not the identity", () => {
    const order = permutation(key(), 50);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...order]).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
